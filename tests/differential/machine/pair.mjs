// The two engines, with the same tables in both.

import { definitionsOf } from '../generator/schema.mjs';
import { render } from '../generator/nodes.mjs';
import { orderKeys } from '../generator/queries.mjs';
import { difference } from './compare.mjs';

export class Pair {
  #tables = null;

  constructor(engine, peer) {
    this.engine = engine;
    this.peer = peer;
  }

  /** Makes the tables in both, on empty databases; the difference if one of them refuses. */
  async setUp(tables) {
    this.#tables = null;
    await Promise.all([this.engine.reset(), this.peer.reset()]);
    for (const statement of definitionsOf(tables)) {
      const found = await this.#compare(statement, false);
      if (found?.answer.error || found?.expected.error) return { ...found, isSetup: true };
    }
    this.#tables = tables;
    return null;
  }

  /** The difference of a query's answers over tables, or null. */
  async difference({ tables, query, withParameters }) {
    if (this.#tables !== tables) {
      const refused = await this.setUp(tables);
      if (refused) return refused;
    }
    const found = await this.#compare(query, withParameters, orderKeys(query));
    // With the engine its tables are gone.
    if (found?.kind === 'trap') this.#tables = null;
    return found;
  }

  async #compare(node, withParameters, keys = []) {
    const [ours, theirs] = ['ours', 'peer'].map((engine) => render(node, engine, withParameters));
    const [answer, expected] = await Promise.all([
      this.engine.query(ours.sql, ours.parameters),
      this.peer.query(theirs.sql, theirs.parameters),
    ]);
    this.failedInBoth = answer.error && expected.error && `${expected.error.code} ${expected.error.message}`;
    const found = difference(answer, expected, keys);
    return found && { ...found, answer, expected };
  }
}
