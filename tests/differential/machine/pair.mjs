// The two engines, with the same tables in both.

import { render, sql } from '../generator/nodes.mjs';
import { orderKeys } from '../generator/queries.mjs';
import { definitionsOf } from '../generator/schema.mjs';
import { difference } from './compare.mjs';
import { Oracles } from './oracles.mjs';

export class Pair {
  #tables = null;

  constructor(engine, peer) {
    this.engine = engine;
    this.peer = peer;
    this.oracles = new Oracles(engine);
  }

  /** Makes the tables in both, on empty databases; the difference if one of them refuses. */
  async setUp(tables) {
    this.#tables = null;
    this.oracles.forget();
    await Promise.all([this.engine.reset(), this.peer.reset()]);
    for (const statement of definitionsOf(tables)) {
      const found = await this.#compare(statement);
      if (found?.answer.error || found?.expected.error) return { ...found, isSetup: true };
    }
    this.#tables = tables;
    return null;
  }

  /** The difference of a statement's answers over tables, or null; of one that writes, and of what the table then holds. */
  async difference(one) {
    const { tables, oracle } = one;
    if (this.#tables !== tables) {
      const refused = await this.setUp(tables);
      if (refused) return refused;
    }
    this.failedInBoth = null;
    const found = await this.#run(one);
    // With the engine its tables are gone.
    if (found?.kind === 'trap') this.#tables = null;
    return found && { ...found, oracle: oracle?.name };
  }

  #run(one) {
    const { query, withParameters, oracle } = one;
    if (oracle) return this.oracles.difference(one);
    return query.target
      ? this.#compareWrite(query, withParameters)
      : this.#compare(query, withParameters, orderKeys(query));
  }

  async #compareWrite(query, withParameters) {
    await this.#compare(sql`BEGIN`);
    const found = await this.#compare(query, withParameters);
    const { failedInBoth } = this;
    const then = found ?? (await this.#compare(sql`SELECT * FROM ${query.target}`));
    await this.#compare(sql`ROLLBACK`);
    this.failedInBoth = failedInBoth;
    return then;
  }

  /** Whether the peer has an error of a value that no row needs. */
  async #failsEarly(node, { error }, answer, keys) {
    if (!error.code.startsWith('22')) return false;
    const { sql: text, parameters } = render(node, 'peer', true);
    const evaluated = await this.peer.evaluated(text, parameters);
    return !evaluated.error && difference(answer, evaluated, keys) === null;
  }

  async #compare(node, withParameters = false, keys = []) {
    const [ours, theirs] = ['ours', 'peer'].map((engine) => render(node, engine, withParameters));
    const [answer, expected] = await Promise.all([
      this.engine.query(ours.sql, ours.parameters),
      this.peer.query(theirs.sql, theirs.parameters),
    ]);
    this.failedInBoth = answer.error && expected.error && `${expected.error.code} ${expected.error.message}`;
    const found = difference(answer, expected, keys);
    if (found?.kind === 'accepted') found.isEarly = await this.#failsEarly(node, expected, answer, keys);
    return found && { ...found, answer, expected };
  }
}
