// Random tables with their rows, and how they come to be: the statements that make them, for either engine.

import { dialect, list, sql } from './nodes.mjs';
import { quoted, TYPES } from './types.mjs';

/** A column of a name has the same type in every table. */
const COLUMNS = {
  i: 'int4',
  j: 'int4',
  h: 'int2',
  k: 'int8',
  r: 'float4',
  x: 'float8',
  y: 'float8',
  n: 'numeric',
  m: 'numeric',
  s: 'text',
  t: 'text',
  b: 'bool',
  d: 'date',
  tm: 'time',
  ts: 'timestamp',
  tz: 'timestamptz',
  iv: 'interval',
  u: 'uuid',
  js: 'json',
  by: 'bytea',
  ai: 'int4[]',
  at: 'text[]',
};

/** What no index holds. */
export const NOT_KEYS = ['interval', 'json', 'int4[]', 'text[]'];

/** Random tables. Each is a value that `definitionsOf` makes statements of, so that the shrinker can take parts away. */
export function makeSchema(random) {
  return random.times(random.int(2, 4), (at) => makeTable(random, `q${at}`));
}

function makeTable(random, name) {
  const hasId = random.chance(0.8);
  const names = random.some(Object.keys(COLUMNS), 2, 7);
  const columns = names.map((column) => ({ name: column, type: COLUMNS[column], isWild: random.chance(0.25) }));
  if (hasId) columns.unshift({ name: 'id', type: 'int4', isId: true });
  const count = random.weighted([
    [1, 0],
    [1, 1],
    [8, random.int(3, 12)],
  ]);
  const rows = random.times(count, (at) =>
    columns.map((column) => (column.isId ? String(at + 1) : cell(random, column))),
  );
  // Some rows are equal.
  if (!hasId && count > 2) rows.push(rows[0], rows[1]);
  const indexed = columns.filter(({ type }) => !NOT_KEYS.includes(type)).map((column) => column.name);
  return {
    name,
    columns,
    rows,
    index: random.chance(0.3) ? random.some(indexed, 1, 2) : [],
    // So many rows are in a segment before the others come.
    stored: random.chance(0.4) ? random.int(0, rows.length) : 0,
  };
}

/** The statements that make the tables, for either engine. */
export function definitionsOf(tables) {
  return tables.flatMap(({ name, columns, rows, index, stored, indexesApart }) => {
    const definitions = columns.map(
      ({ name: column, type, isId }) =>
        sql`${column} ${dialect(TYPES[type].ours, TYPES[type].peer)}${isId ? ' PRIMARY KEY' : ''}`,
    );
    const statements = [sql`CREATE TABLE ${name} (${list(', ', definitions)})`];
    const insert = (some) =>
      sql`INSERT INTO ${name} VALUES ${list(
        ', ',
        some.map((row) => sql`(${list(', ', row)})`),
      )}`;
    if (stored > 0) statements.push(insert(rows.slice(0, stored)), dialect(`STORAGE FLUSH TABLE ${name}`, 'SELECT 1'));
    if (stored < rows.length) statements.push(insert(rows.slice(stored)));
    if (indexesApart)
      return [...statements, ...index.map((column) => sql`CREATE INDEX ${name}_${column} ON ${name} (${column})`)];
    const kept = index.filter((column) => columns.some((other) => other.name === column));
    if (kept.length > 0) statements.push(sql`CREATE INDEX ${name}_index ON ${name} (${kept.join(', ')})`);
    return statements;
  });
}

function cell(random, { type, isWild }) {
  if (random.chance(0.2)) return 'NULL';
  const { small, edges } = TYPES[type];
  const text = isWild && edges.length > 0 && random.chance(0.4) ? random.pick(edges) : random.pick(small);
  return TYPES[type].by === 'int' || TYPES[type].by === 'bool' ? text : quoted(text);
}
