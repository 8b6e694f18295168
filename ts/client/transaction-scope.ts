import { failure, isKalamDBError, KalamDBError, payload } from '../errors/errors.js';
import type { CallResults, SessionCall } from '../protocol/calls.js';
import { decodeResults } from '../wire/decode.js';
import type { Channel } from './channel.js';
import type { Connection } from './connection.js';
import { InFlight } from './in-flight.js';
import type { SessionChannel } from './session-channel.js';
import type { TransactionChannel } from './transaction-channel.js';

/** The two ways in which a transaction ends. */
interface Ends {
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** What one handle of a transaction may still do: a transaction itself, or one nested in it. @internal */
export class TransactionScope implements Channel {
  readonly #transaction: TransactionChannel;
  readonly #ends: Ends;
  readonly #inFlight = new InFlight();
  #ending: Promise<void> | undefined;
  #isNesting = false;
  #savepoints: { count: number };

  private constructor(transaction: TransactionChannel, ends: Ends, savepoints: { count: number }) {
    this.#transaction = transaction;
    this.#ends = ends;
    this.#savepoints = savepoints;
  }

  /** Runs `work` in a new transaction: commits when it resolves, and undoes everything when it rejects. */
  static async run<R>(
    session: SessionChannel,
    durability: 'relaxed' | 'strict',
    work: (scope: TransactionScope) => R | Promise<R>,
  ): Promise<R> {
    const transaction = await session.begin();
    const ends = { commit: () => commit(transaction, durability), rollback: () => transaction.rollback() };
    return new TransactionScope(transaction, ends, { count: 0 }).#run(work);
  }

  /** The same for a part of this transaction, which can be undone by itself. Meanwhile this handle takes no calls. */
  async nest<R>(work: (scope: TransactionScope) => R | Promise<R>): Promise<R> {
    this.requireOpen();
    this.#isNesting = true;
    return this.#inFlight.track(
      this.#nest(work).finally(() => {
        this.#isNesting = false;
      }),
    );
  }

  async #nest<R>(work: (scope: TransactionScope) => R | Promise<R>): Promise<R> {
    // Statements that were asked for before are no part of it.
    await this.#inFlight.settled();
    this.#savepoints.count += 1;
    const name = `kalamdb_nested_${this.#savepoints.count}`;
    const exec = async (sql: string): Promise<void> => {
      await this.#transaction.call({ kind: 'exec', sql, systemColumns: false });
    };
    const rollback = (): Promise<void> => exec(`ROLLBACK TO ${name}; RELEASE ${name}`);
    const commit = async (): Promise<void> => {
      try {
        await exec(`RELEASE ${name}`);
      } catch (error) {
        // A statement has failed and the callback went on; this undoes it for the transaction around.
        await rollback();
        throw error;
      }
    };
    await exec(`SAVEPOINT ${name}`);
    return new TransactionScope(this.#transaction, { commit, rollback }, this.#savepoints).#run(work);
  }

  async #run<R>(work: (scope: TransactionScope) => R | Promise<R>): Promise<R> {
    let value: R;
    try {
      value = await work(this);
    } catch (error) {
      // Where it cannot be undone, its engine or database is gone, and the transaction with it.
      await this.#end(this.#ends.rollback).catch(() => undefined);
      throw error;
    }
    await this.#end(this.#ends.commit);
    return value;
  }

  get connection(): Connection {
    return this.#transaction.connection;
  }

  requireOpen(): void {
    if (this.#ending !== undefined)
      throw failure('invalid_transaction_state', 'the transaction has ended', {
        hint: 'await every call before the callback returns, or start another with transaction()',
      });
    if (this.#isNesting)
      throw failure('invalid_transaction_state', 'a nested transaction is open', {
        hint: 'use the handle of the nested transaction, or await its end first',
      });
    this.#transaction.requireOpen();
  }

  async call<C extends SessionCall>(call: C): Promise<CallResults[C['kind']]> {
    this.requireOpen();
    return this.#inFlight.track(this.#transaction.call(call));
  }

  inTransaction(): void {
    this.#transaction.inTransaction();
  }

  /** Undoes what was done through this handle and ends it. */
  async rollback(): Promise<void> {
    this.requireOpen();
    await this.#end(this.#ends.rollback);
  }

  /** Ends it in one way; when it has been ended already, waits for that. */
  #end(how: () => Promise<void>): Promise<void> {
    this.#ending ??= this.#inFlight.settled().then(how);
    return this.#ending;
  }
}

/** Commits; a transaction in which a statement has failed was rolled back instead, which is a failure here. */
async function commit(transaction: TransactionChannel, durability: 'relaxed' | 'strict'): Promise<void> {
  const { failure } = transaction;
  const bytes = await transaction.call({ kind: 'commit', durability });
  const [result] = decodeResults(bytes, { rowMode: 'object', int64: 'auto', timestamps: 'date' });
  transaction.connection.committed(result?.seq);
  if (result?.command === 'COMMIT') return;
  if (isConflict(failure)) throw failure;
  const message = 'a statement of the transaction has failed, so it was rolled back';
  const hint = 'let the error leave the callback, or run what may fail in a nested transaction';
  throw new KalamDBError(payload('in_failed_transaction', message, { hint }), failure);
}

/** Whether the transaction met changes of others, so that it may succeed when it is run again. @internal */
export function isConflict(error: unknown): boolean {
  return isKalamDBError(error) && error.code === 'serialization_failure';
}
