import type { Channel } from '../client/channel.js';
import { toError } from '../errors/errors.js';
import { decodeResults, isInTransaction } from '../wire/decode.js';
import type { Decoding, QueryOptions } from '../wire/decoding.js';
import { encodeParams, encodeRows } from '../wire/encode.js';
import type { Param, Rows } from '../wire/params.js';
import type { InsertResult, Result, Row } from '../wire/result.js';
import { requireString, requireWellFormed, requireWellFormedSql } from '../wire/text.js';
import { type Defaults, decoding } from './options.js';
import { SqlStatement } from './sql-tag.js';

/**
 * The calls that a database, a session and a transaction have in common.
 *
 * Every method rejects with a {@link KalamDBError} when the database cannot do what was asked, and with a TypeError
 * when an argument has the wrong shape. Calls may be made without waiting for earlier ones.
 */
export abstract class Queries {
  /** What runs the statements. @internal */
  protected readonly channel: Channel;
  /** @internal */
  protected readonly defaults: Defaults;

  /** @internal */
  constructor(channel: Channel, defaults: Defaults) {
    this.channel = channel;
    this.defaults = defaults;
  }

  /**
   * Runs one statement and resolves when its writes are kept; in a transaction they are kept when that is committed.
   *
   * @param text - one statement; `$1`, `$2` and so on stand for `params`
   * @example
   * const { rows } = await db.query('SELECT * FROM notes WHERE id = $1', [7]);
   */
  query<T = Row>(text: string, params?: readonly Param[], options?: QueryOptions): Promise<Result<T>>;
  /** Runs one statement that was made by the tag {@link sql}. */
  query<T = Row>(statement: SqlStatement, options?: QueryOptions): Promise<Result<T>>;
  async query<T = Row>(
    statement: string | SqlStatement,
    second?: readonly Param[] | QueryOptions,
    third?: QueryOptions,
  ): Promise<Result<T>> {
    return this.#query<T>(statementOf(statement, second, third));
  }

  async #query<T>(bound: BoundStatement, more: { maxRows?: number } = {}): Promise<Result<T>> {
    const { wanted, ...statement } = this.#encoded(bound);
    const bytes = await this.channel.call({ kind: 'query', ...statement, ...more });
    return this.#decode<T>(bytes, wanted)[0] as Result<T>;
  }

  /** A statement as it is sent, and how its rows are decoded. */
  #encoded({ text, params, options }: BoundStatement): EncodedStatement {
    this.channel.requireOpen();
    const wanted = decoding(options, this.defaults.decoding);
    requireWellFormedSql(text);
    return { sql: text, params: encodeParams(params), systemColumns: this.defaults.systemColumns, wanted };
  }

  /**
   * Runs one statement and gives its rows batch by batch, all as of the moment when the first are asked for.
   *
   * @internal
   */
  async *batches<T>(bound: BoundStatement): AsyncGenerator<T[], void, undefined> {
    const { wanted, ...statement } = this.#encoded(bound);
    const stream = this.channel.connection.newId();
    await this.channel.call({ kind: 'stream', ...statement, stream });
    let bytes: Uint8Array | undefined;
    try {
      for (;;) {
        bytes = await this.channel.call({ kind: 'next', stream });
        if (bytes === undefined) return;
        yield this.#decode<T>(bytes, wanted)[0]?.rows ?? [];
      }
    } finally {
      // Not when the stream is over, and nobody needs to hear of a failure: an engine that is gone holds nothing.
      if (bytes !== undefined) await this.channel.call({ kind: 'endStream', stream }).catch(() => undefined);
    }
  }

  /**
   * Runs one statement and gives the first of its rows, or null when there is none. The rows after it are not read.
   */
  queryOne<T = Row>(text: string, params?: readonly Param[], options?: QueryOptions): Promise<T | null>;
  /** The same for a statement that was made by the tag {@link sql}. */
  queryOne<T = Row>(statement: SqlStatement, options?: QueryOptions): Promise<T | null>;
  async queryOne<T = Row>(
    statement: string | SqlStatement,
    second?: readonly Param[] | QueryOptions,
    third?: QueryOptions,
  ): Promise<T | null> {
    const { rows } = await this.#query<T>(statementOf(statement, second, third), { maxRows: 1 });
    return rows[0] ?? null;
  }

  /**
   * Runs any number of statements in order; each gives one result. When one fails, those before it stay done.
   *
   * @param text - statements with `;` between them; there are no parameters
   */
  async exec(text: string, options?: QueryOptions): Promise<Result[]> {
    requireString('the SQL text', text);
    this.channel.requireOpen();
    const { systemColumns } = this.defaults;
    const wanted = decoding(options, this.defaults.decoding);
    requireWellFormedSql(text);
    const bytes = await this.channel.call({ kind: 'exec', sql: text, systemColumns });
    return this.#decode(bytes, wanted);
  }

  /**
   * Inserts rows, all or none.
   *
   * @param table - the name as SQL has it, such as `notes`, `app.notes` or `"My notes"`
   * @param rows - objects, all with the same keys, or `{ columns, rows }` with arrays of values. Columns that are not
   *   named get their default; a value that is undefined is NULL
   * @throws {@link KalamDBError} `invalid_parameter_value` when a row has other keys than the first, or another number
   *   of values than there are columns
   */
  async insert(table: string, rows: Rows): Promise<InsertResult> {
    requireString('the name of the table', table);
    this.channel.requireOpen();
    requireWellFormed(table, 'the name of the table');
    const { names, rowCount, block } = encodeRows(rows);
    if (rowCount === 0) return { affectedRows: 0, seq: null };
    const result = await this.channel.call({ kind: 'insert', table, columns: [...names], block });
    this.channel.connection.committed(result.seq);
    return result;
  }

  #decode<T>(bytes: Uint8Array, wanted: Decoding): Result<T>[] {
    const results = decode<T>(bytes, wanted);
    this.channel.inTransaction(isInTransaction(bytes));
    for (const { seq } of results) this.channel.connection.committed(seq);
    return results;
  }
}

/** A statement as it is sent, and how its rows are decoded. */
interface EncodedStatement {
  sql: string;
  params: Uint8Array<ArrayBuffer>;
  systemColumns: boolean;
  wanted: Decoding;
}

/** A statement with the values of its parameters. @internal */
export interface BoundStatement {
  text: string;
  params: readonly Param[];
  options: QueryOptions | undefined;
}

/** @throws TypeError when an argument has the wrong shape @internal */
export function statementOf(
  statement: string | SqlStatement,
  second?: readonly Param[] | QueryOptions,
  third?: QueryOptions,
): BoundStatement {
  if (statement instanceof SqlStatement) {
    const { text, params } = statement;
    return { text, params, options: second as QueryOptions | undefined };
  }
  requireString('the SQL text', statement);
  const params = second ?? [];
  requireParams(params);
  return { text: statement, params, options: third };
}

/** @throws TypeError when it is no array @internal */
export function requireParams(params: unknown): asserts params is readonly Param[] {
  if (!Array.isArray(params)) throw new TypeError('params must be an array');
}

function decode<T>(bytes: Uint8Array, wanted: Decoding): Result<T>[] {
  try {
    return decodeResults(bytes, wanted) as Result<T>[];
  } catch (error) {
    throw toError(error);
  }
}
