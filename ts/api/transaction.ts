import type { TransactionScope } from '../client/transaction-scope.js';
import { Queries } from './queries.js';

/**
 * A transaction, as the callback of `transaction()` gets it. It sees its own changes; others see them when it is committed.
 *
 * It ends when the callback does: every later call rejects with `invalid_transaction_state`. So does SQL text that
 * would begin or end a transaction; savepoints are allowed. After a statement has failed, every other one rejects with
 * `in_failed_transaction`. Results have no `seq`: rows get their numbers when they are committed.
 */
export class Transaction extends Queries {
  /** @internal */
  declare protected readonly channel: TransactionScope;

  /**
   * Runs a part of this transaction that can be undone by itself: when the callback throws, what it did is undone, and
   * the error is passed on. Until it has ended, this handle takes no calls.
   */
  async transaction<R>(callback: (tx: Transaction) => R | Promise<R>): Promise<R> {
    requireCallback(callback);
    return this.channel.nest((scope) => callback(new Transaction(scope, this.defaults)));
  }

  /** Undoes everything that was done through this handle and ends it. The callback may go on and return a value. */
  async rollback(): Promise<void> {
    await this.channel.rollback();
  }
}

/** @throws TypeError when it is no function @internal */
export function requireCallback(callback: unknown): void {
  if (typeof callback !== 'function') throw new TypeError('the callback of transaction() must be a function');
}
