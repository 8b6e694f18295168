// The peer: PostgreSQL, as PGlite.

import { readFileSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';

/** Values stay the texts that PostgreSQL sends, and those that it is sent. */
const texts = Object.fromEntries(Array.from({ length: 6000 }, (_, type) => [type, (text) => text]));
const OPTIONS = { rowMode: 'array' };

const FUNCTIONS = readFileSync(new URL('../peer-functions.sql', import.meta.url), 'utf8');

export class Peer {
  #database;

  static async open() {
    const peer = new Peer();
    peer.#database = await PGlite.create({ parsers: texts, serializers: texts });
    // It has made its own for arrays.
    Object.assign(peer.#database.parsers, texts);
    Object.assign(peer.#database.serializers, texts);
    await peer.#database.exec("SET timezone = 'UTC'; SET client_min_messages = error; SET statement_timeout = '20s'");
    // What has parameters is planned without their values: see `evaluated`.
    await peer.#database.exec('SET plan_cache_mode = force_generic_plan');
    await peer.#database.exec(
      `CREATE SCHEMA functions; SET search_path = functions; ${FUNCTIONS}; SET search_path = public, functions`,
    );
    return peer;
  }

  /** Begins an empty database. */
  async reset() {
    await this.#database.exec('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  }

  /** Runs a statement: `{ columns, rows, affected }`, or `{ error: { code, message } }`. */
  async query(sql, parameters = []) {
    try {
      const run =
        parameters.length > 0
          ? this.#database.query(
              sql,
              parameters.map(({ text }) => text),
              OPTIONS,
            )
          : this.#run(sql);
      const { fields, rows, affectedRows } = await run;
      return {
        columns: fields.map(({ name, dataTypeID }) => ({ name, type: dataTypeID })),
        rows,
        affected: affectedRows,
      };
    } catch (error) {
      return { error: { code: error.code ?? 'none', message: error.message } };
    }
  }

  /**
   * The same with parameters for literals, in a transaction that is rolled back: PostgreSQL computes with literals while it plans, and fails
   * where no row needs the result.
   */
  async evaluated(sql, parameters) {
    await this.#database.exec('ROLLBACK; BEGIN');
    const answer = await this.query(sql, parameters);
    await this.#database.exec('ROLLBACK');
    return answer;
  }

  /** The simple protocol is quicker. */
  async #run(sql) {
    const results = await this.#database.exec(sql, OPTIONS);
    return results[0];
  }

  close() {
    return this.#database.close();
  }
}
