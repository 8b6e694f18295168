// A world: random tables, and queries over them.

import { Queries } from '../generator/queries.mjs';
import { Random } from '../generator/random.mjs';
import { makeSchema } from '../generator/schema.mjs';
import { Writes } from '../generator/writes.mjs';
import { anyOracle } from './oracles.mjs';

/** How many queries run over the same tables. */
export const WORLD_SIZE = 50;

/** The tables of a world and its cases, each made when it is asked for. */
export function makeWorld(seed, count = WORLD_SIZE) {
  const random = new Random(seed);
  const tables = makeSchema(random);
  const cases = random
    .times(count, () => new Random(Math.floor(random.next() * 2 ** 32)))
    .map((own) => () => makeCase(own, tables));
  return { tables, cases };
}

function makeCase(random, tables) {
  if (random.chance(0.15))
    return { tables, query: new Writes(random, tables).any(), withParameters: random.chance(0.2) };
  const queries = new Queries(random, tables);
  const depth = random.int(1, 2);
  if (random.chance(0.85)) return { tables, query: queries.top(depth), withParameters: random.chance(0.2) };
  const oracle = anyOracle(random);
  return { tables, query: oracle.name === 'partition' ? queries.partition(depth) : queries.top(depth), oracle };
}
