// A world: random tables, and queries over them.

import { Queries } from '../generator/queries.mjs';
import { Random } from '../generator/random.mjs';
import { makeSchema } from '../generator/schema.mjs';
import { Writes } from '../generator/writes.mjs';

/** How many queries run over the same tables. */
export const WORLD_SIZE = 50;

/** The tables of a world and its cases, each made when it is asked for. */
export function makeWorld(seed, count = WORLD_SIZE) {
  const random = new Random(seed);
  const tables = makeSchema(random);
  const cases = random.times(count, () => new Random(Math.floor(random.next() * 2 ** 32))).map((own) => () => {
    const query = own.chance(0.15) ? new Writes(own, tables).any() : new Queries(own, tables).top(2);
    return { tables, query, withParameters: own.chance(0.2) };
  });
  return { tables, cases };
}
