/// <reference lib="esnext.disposable" preserve="true" />
import { Connection, MEMORY } from './connection.js';
import { failure, toError } from './errors.js';
import {
  type Decoding,
  decoding,
  type LocationOptions,
  location,
  type OpenOptions,
  type QueryOptions,
  type Settings,
  settings,
} from './options.js';
import type { Param, Rows } from './params.js';
import type { InsertResult, Result, Row } from './result.js';
import { SqlStatement } from './sql-tag.js';
import { requireWellFormed, requireWellFormedSql } from './text.js';
import { startTransport } from './transport/start.js';
import { decodeResults } from './wire/decode.js';
import { encodeParams, encodeRows } from './wire/encode.js';

/**
 * An open database.
 *
 * Every method rejects with a {@link KalamDBError} when the database cannot do what was asked, and with a TypeError
 * when an argument has the wrong shape. Calls may be made without waiting for earlier ones.
 */
export class KalamDB {
  readonly #connection: Connection;
  readonly #settings: Settings;

  private constructor(connection: Connection, chosen: Settings) {
    this.#connection = connection;
    this.#settings = chosen;
  }

  /**
   * Opens a database and makes it if there is none.
   *
   * @param name - the name of the database in this origin; `'memory:'` for one that is never kept
   * @throws {@link KalamDBError} `invalid_name`, `storage_unavailable`, `schema_too_new`, `data_corrupted`; `engine_crashed` when
   *   a part of the package could not be loaded
   */
  static async open(name: string, options: OpenOptions = {}): Promise<KalamDB> {
    requireName(name);
    const chosen = settings(options);
    return new KalamDB(await Connection.open(name, chosen), chosen);
  }

  /**
   * Deletes a database and everything in it; there need not be one. Where it is open, it is closed first.
   *
   * @param options - where the parts of the package are, as for {@link KalamDB.open}
   * @throws {@link KalamDBError} `object_in_use` when it is open somewhere that does not close it
   */
  static async delete(name: string, options: LocationOptions = {}): Promise<void> {
    requireName(name);
    const transport = await startTransport(location(options));
    try {
      await transport.call({ kind: 'delete', name });
    } finally {
      transport.dispose();
    }
  }

  /** Where the rows are: `'memory'` also when there was no storage and `onStorageUnavailable` allows that. */
  get mode(): 'indexeddb' | 'memory' {
    return this.#connection.name === MEMORY ? 'memory' : 'indexeddb';
  }

  /**
   * Runs one statement and resolves when its writes are kept.
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
    const { text, params, options } = statementOf(statement, second, third);
    this.#connection.requireOpen();
    const wanted = decoding(options, this.#settings.decoding);
    requireWellFormedSql(text);
    const { systemColumns } = this.#settings;
    const bytes = await this.#connection.call({
      kind: 'query',
      sql: text,
      params: encodeParams(params),
      systemColumns,
    });
    return decode<T>(bytes, wanted)[0] as Result<T>;
  }

  /** Runs one statement and gives the first of its rows, or null when there is none. */
  queryOne<T = Row>(text: string, params?: readonly Param[], options?: QueryOptions): Promise<T | null>;
  /** The same for a statement that was made by the tag {@link sql}. */
  queryOne<T = Row>(statement: SqlStatement, options?: QueryOptions): Promise<T | null>;
  async queryOne<T = Row>(
    statement: string | SqlStatement,
    second?: readonly Param[] | QueryOptions,
    third?: QueryOptions,
  ): Promise<T | null> {
    const { text, params, options } = statementOf(statement, second, third);
    const { rows } = await this.query<T>(text, params, options);
    return rows[0] ?? null;
  }

  /**
   * Runs any number of statements in order; each gives one result. When one fails, those before it stay done.
   *
   * @param text - statements with `;` between them; there are no parameters
   */
  async exec(text: string, options?: QueryOptions): Promise<Result[]> {
    requireString('the SQL text', text);
    this.#connection.requireOpen();
    const wanted = decoding(options, this.#settings.decoding);
    requireWellFormedSql(text);
    const { systemColumns } = this.#settings;
    const bytes = await this.#connection.call({ kind: 'exec', sql: text, systemColumns });
    return decode(bytes, wanted);
  }

  /**
   * Inserts rows in one transaction, all or none.
   *
   * @param table - the name as SQL has it, such as `notes`, `app.notes` or `"My notes"`
   * @param rows - objects, all with the same keys, or `{ columns, rows }` with arrays of values. Columns that are not
   *   named get their default; a value that is undefined is NULL
   * @throws {@link KalamDBError} `invalid_parameter_value` when a row has other keys than the first, or another number
   *   of values than there are columns
   */
  async insert(table: string, rows: Rows): Promise<InsertResult> {
    requireString('the name of the table', table);
    this.#connection.requireOpen();
    requireWellFormed(table, 'the name of the table');
    const { names, rowCount, block } = encodeRows(rows);
    if (rowCount === 0) return { affectedRows: 0, seq: null };
    return this.#connection.call({ kind: 'insert', table, columns: [...names], block });
  }

  /** Waits for the calls in flight and closes the database; later calls reject with `database_closed`. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  /** Closes the database at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

interface Statement {
  text: string;
  params: readonly Param[];
  options: QueryOptions | undefined;
}

function statementOf(
  statement: string | SqlStatement,
  second: readonly Param[] | QueryOptions | undefined,
  third: QueryOptions | undefined,
): Statement {
  if (statement instanceof SqlStatement) {
    const { text, params } = statement;
    return { text, params, options: second as QueryOptions | undefined };
  }
  requireString('the SQL text', statement);
  const params = second ?? [];
  if (!Array.isArray(params)) throw new TypeError('params must be an array');
  return { text: statement, params, options: third };
}

function requireName(name: unknown): void {
  requireString('the name of the database', name);
  if (name === '') throw failure('invalid_name', 'the name of the database is empty');
  requireWellFormed(name, 'the name of the database');
}

function requireString(what: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw new TypeError(`${what} must be a string`);
}

function decode<T>(bytes: Uint8Array, wanted: Decoding): Result<T>[] {
  try {
    return decodeResults(bytes, wanted) as Result<T>[];
  } catch (error) {
    throw toError(error);
  }
}
