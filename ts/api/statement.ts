import { failure } from '../errors/errors.js';
import type { QueryOptions } from '../wire/decoding.js';
import type { Param } from '../wire/params.js';
import type { Result, Row } from '../wire/result.js';
import { type Queries, requireParams } from './queries.js';

/** A statement that is run again and again with other parameters, made by `prepare()`. */
export class Statement<T = Row> {
  /** The text that was prepared. */
  readonly text: string;
  readonly #queries: Queries;
  readonly #params: readonly Param[];
  readonly #options: QueryOptions | undefined;
  #isClosed = false;

  /** @internal */
  constructor(queries: Queries, text: string, params: readonly Param[], options: QueryOptions | undefined) {
    this.#queries = queries;
    this.text = text;
    this.#params = params;
    this.#options = options;
  }

  /**
   * Runs the statement.
   *
   * @param params - the values of `$1`, `$2` and so on; without them, those that the tag {@link sql} was given
   * @throws {@link KalamDBError} `undefined_object` after `close` was called
   */
  async run(params: readonly Param[] = this.#params): Promise<Result<T>> {
    this.#require(params);
    return this.#queries.query<T>(this.text, params, this.#options);
  }

  #require(params: readonly Param[]): void {
    requireParams(params);
    if (this.#isClosed)
      throw failure('undefined_object', 'the prepared statement is closed', { hint: 'prepare it again' });
  }

  /** Runs the statement and gives its rows. */
  async all(params?: readonly Param[]): Promise<T[]> {
    const { rows } = await this.run(params);
    return rows;
  }

  /** Runs the statement and gives the first of its rows, or null when there is none. */
  async get(params: readonly Param[] = this.#params): Promise<T | null> {
    this.#require(params);
    return this.#queries.queryOne<T>(this.text, params, this.#options);
  }

  /**
   * Runs the statement when the first row is asked for, and gives one row after the other, all as of that moment. Few
   * are in memory at a time. Leave the loop, or call `return()`, to let go of the others.
   */
  async *iterate(params: readonly Param[] = this.#params): AsyncGenerator<T, void, undefined> {
    this.#require(params);
    for await (const rows of this.#queries.batches<T>({ text: this.text, params, options: this.#options })) yield* rows;
  }

  /** Lets go of the statement; later calls reject. Runs under way are not affected. Closing twice is allowed. */
  async close(): Promise<void> {
    this.#isClosed = true;
  }

  /** Closes the statement at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
