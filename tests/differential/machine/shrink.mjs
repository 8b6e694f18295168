// Makes a case that differs small: takes parts of its query and of its tables away as long as it differs in the same way.

import { constantsOf } from '../generator/constants.mjs';
import { nothing, replaced, walk } from '../generator/nodes.mjs';
import { orderKeys } from '../generator/queries.mjs';

const ATTEMPTS = 600;

/** Differences of one kind: what the shrinker keeps, and what reports are grouped by. */
export function signature({ kind, detail, oracle }) {
  const by = oracle ? `${oracle} oracle, ` : '';
  if (['values', 'rows', 'order'].includes(kind)) return `${by}other rows`;
  const words = detail
    .split('\n')[0]
    .replace(/"[^"]*"|'[^']*'|\b[a-z]+\d+(\.\w+)?\b/g, '\u2026')
    .replace(/\d+/g, (digits) => (digits.length === 5 ? digits : '#'));
  return `${by}${kind}: ${words.slice(0, 90)}`;
}

/** The smallest case found that `differs` finds different in the same way. */
export async function shrink(original, found, differs) {
  const wanted = signature(found);
  let best = { ...original, found };
  let attempts = 0;
  const isKept = async (candidate) => {
    attempts += 1;
    const now = await differs(candidate);
    if (!now || now.isSetup !== found.isSetup || signature(now) !== wanted) return false;
    best = { ...candidate, found: now };
    return true;
  };
  for (let isSmaller = true; isSmaller && attempts < ATTEMPTS; ) {
    isSmaller = false;
    for (const candidate of smaller(best)) {
      if (attempts >= ATTEMPTS) break;
      if (await isKept(candidate)) {
        isSmaller = true;
        break;
      }
    }
  }
  return best;
}

function* smaller(now) {
  const { without } = now.oracle ?? {};
  if (without?.length > 1)
    for (const rule of without)
      yield { ...now, oracle: { ...now.oracle, without: without.filter((other) => other !== rule) } };
  for (const query of smallerQueries(now.query)) yield { ...now, query };
  for (const tables of smallerTables(now.tables)) yield { ...now, tables };
  if (now.withParameters) yield { ...now, withParameters: false };
}

function* smallerQueries(root) {
  for (const { node, path } of walk(root)) {
    // The keys of ORDER BY are positions.
    if (node.isSelectList && orderKeys(root).length > 0) continue;
    for (const other of replacements(node)) yield replaced(root, path, other);
  }
}

function* replacements(node) {
  if (node.kind === 'optional') yield nothing;
  if (node.kind === 'either') yield* node.parts.filter((part) => typeof part !== 'string');
  if (node.kind === 'list' && node.parts.length > node.min) {
    for (const at of node.parts.keys()) yield node.with(node.parts.filter((_, index) => index !== at));
  }
  if (node.kind === 'query')
    yield* within(node, (other) => other.kind === 'query' && other.types.join() === node.types.join());
  if (node.kind === 'expression' && !isPlain(node)) {
    for (const constant of constantsOf(node.type)) yield constant;
    yield* within(node, (other) => other.kind === 'expression' && other.type === node.type);
  }
}

const isPlain = (node) =>
  node.parts.length === 1 && (typeof node.parts[0] === 'string' || node.parts[0].kind === 'literal');

function* within(node, fits) {
  for (const { node: other } of walk(node)) if (other !== node && fits(other)) yield other;
}

function* smallerTables(tables) {
  for (const at of tables.keys()) {
    const table = tables[at];
    const instead = (...others) => [...tables.slice(0, at), ...others, ...tables.slice(at + 1)];
    yield instead();
    if (table.stored > 0) yield instead({ ...table, stored: 0 });
    if (table.index.length > 0) yield instead({ ...table, index: [] });
    const { rows } = table;
    const half = Math.ceil(rows.length / 2);
    if (rows.length > 2)
      yield* [instead({ ...table, rows: rows.slice(0, half) }), instead({ ...table, rows: rows.slice(half) })];
    for (const row of rows.keys()) yield instead({ ...table, rows: rows.filter((_, index) => index !== row) });
    if (table.columns.length > 1) {
      for (const column of table.columns.keys()) {
        const others = (values) => values.filter((_, index) => index !== column);
        yield instead({ ...table, columns: others(table.columns), rows: rows.map(others) });
      }
    }
  }
}
