/// <reference lib="esnext.disposable" preserve="true" />
import type { SessionChannel } from '../client/session-channel.js';
import { isConflict, TransactionScope } from '../client/transaction-scope.js';
import type { QueryOptions } from '../wire/decoding.js';
import type { Param } from '../wire/params.js';
import type { Result, Row } from '../wire/result.js';
import { requireWellFormedSql } from '../wire/text.js';
import { type BatchOptions, decoding, type TransactionOptions, transactionOptions } from './options.js';
import { type BoundStatement, Queries, statementOf } from './queries.js';
import { SqlStatement } from './sql-tag.js';
import { Statement } from './statement.js';
import { requireCallback, Transaction } from './transaction.js';

/** One statement of a batch. */
export interface BatchStatement {
  /** One statement; `$1`, `$2` and so on stand for `params`. */
  sql: string;
  params?: readonly Param[];
}

/** The calls that a database and a session have in common. */
export abstract class Client extends Queries {
  /** @internal */
  declare protected readonly channel: SessionChannel;

  /**
   * Runs a callback in a transaction: commits when it resolves, and undoes everything when it throws. Resolves with
   * the callback's value when the commit is kept.
   *
   * No lock is held meanwhile. When somebody else has changed what the transaction has read or written, it ends with
   * `serialization_failure`, nothing of it is written, and the callback is run again: it should do nothing outside of
   * the database that must not happen twice. Closing the database or session meanwhile undoes the transaction.
   *
   * @throws whatever the callback throws, unchanged; {@link KalamDBError} `serialization_failure` after the last run,
   *   `in_failed_transaction` when the callback resolves although a statement has failed, `engine_crashed`
   * @example
   * await db.transaction(async (tx) => {
   *   await tx.query('UPDATE accounts SET balance = balance - $1 WHERE id = $2', [10, 'a']);
   *   await tx.query('UPDATE accounts SET balance = balance + $1 WHERE id = $2', [10, 'b']);
   * });
   */
  async transaction<R>(callback: (tx: Transaction) => R | Promise<R>, options?: TransactionOptions): Promise<R> {
    requireCallback(callback);
    const { durability, retries } = transactionOptions(options, this.defaults);
    for (let left = retries; ; left--) {
      try {
        const run = (scope: TransactionScope): R | Promise<R> => callback(new Transaction(scope, this.defaults));
        return await TransactionScope.run(this.channel, durability, run);
      } catch (error) {
        if (left === 0 || !isConflict(error)) throw error;
      }
    }
  }

  /**
   * Runs statements in one transaction, all or none; each gives one result.
   *
   * @example
   * await db.batch([
   *   { sql: 'INSERT INTO notes (id, text) VALUES ($1, $2)', params: [1, 'a'] },
   *   sql`DELETE FROM drafts WHERE id = ${1}`,
   * ]);
   */
  async batch(statements: readonly (BatchStatement | SqlStatement)[], options?: BatchOptions): Promise<Result[]> {
    const asked = batchOf(statements);
    decoding(options, this.defaults.decoding);
    for (const { text } of asked) requireWellFormedSql(text);
    return this.transaction(async (tx) => {
      const results: Result[] = [];
      for (const { text, params } of asked) results.push(await tx.query(text, params, options));
      return results;
    }, options);
  }

  /**
   * Makes a statement that can be run again and again with other parameters. Mistakes in the text show when it is run.
   *
   * @example
   * const byId = db.prepare('SELECT * FROM notes WHERE id = $1');
   * const note = await byId.get([7]);
   */
  prepare<T = Row>(statement: string | SqlStatement, options?: QueryOptions): Statement<T> {
    const { text, params } = statementOf(statement);
    this.channel.requireOpen();
    requireWellFormedSql(text);
    return new Statement<T>(this, text, params, decoding(options, this.defaults.decoding));
  }

  /** Waits for the calls in flight and closes; later calls reject with `database_closed`. */
  abstract close(): Promise<void>;

  /** Closes at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function batchOf(statements: unknown): BoundStatement[] {
  if (!Array.isArray(statements)) throw new TypeError('a batch must be an array of statements');
  return statements.map((statement: unknown) => {
    if (statement instanceof SqlStatement) return statementOf(statement);
    if (typeof statement !== 'object' || statement === null)
      throw new TypeError('a statement of a batch must be an object with sql and params');
    const { sql, params } = statement as BatchStatement;
    return statementOf(sql, params);
  });
}
