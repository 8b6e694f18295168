// Random expressions of a given type, over the columns of a scope.

import { AGGREGATES, WINDOW_FUNCTIONS } from './aggregates.mjs';
import { commas, constant, nullOf, value } from './constants.mjs';
import { expression, nothing, optional, sql } from './nodes.mjs';
import { SIGNATURES } from './signatures.mjs';
import { ALL, ORDERED, TYPES } from './types.mjs';

/**
 * What an expression may name: `columns` are `{ type, node, isWild }`, `outer` is the scope of the query around. `grouped` is the scope of the
 * rows where aggregates are allowed; `rows`, where windows are, the relations whose columns order rows fully.
 */
export class Scope {
  constructor({ columns, outer = null, grouped = null, told = [], hasWindows = false }) {
    Object.assign(this, { columns, outer, grouped, told, hasWindows });
  }

  /** How many queries are around this one. */
  get level() {
    return this.outer ? this.outer.level + 1 : 0;
  }

  /** Without what is computed: the digits of a DECIMAL are then those that are stored. */
  stored() {
    const columns = this.columns.filter(({ isComputed }) => !isComputed);
    return new Scope({ columns, outer: this.outer?.stored() ?? null });
  }

  /** The same columns, without aggregates and windows. */
  plain() {
    return new Scope({ columns: this.columns, outer: this.outer });
  }
}

export class Expressions {
  /** The columns over which a function tells equal rows apart. */
  #counted = new WeakSet();

  /** `subqueries` makes queries within expressions: see subqueries.mjs. */
  constructor(random, subqueries = null) {
    this.random = random;
    this.subqueries = subqueries;
  }

  /** An expression of a type; `isTame`: its values should be small. */
  of(type, scope, depth, isTame = false) {
    const { random } = this;
    if (depth <= 0 || random.chance(0.3)) return this.leaf(type, scope, isTame);
    const choices = [[10, () => this.#template(random.weighted(SIGNATURES[type]), type, scope, depth)]];
    if (type === 'bool') choices.push([8, () => this.#comparison(scope, depth)]);
    if (scope.grouped && AGGREGATES[type].length > 0) choices.push([12, () => this.aggregate(type, scope, depth)]);
    if (scope.hasWindows) choices.push([8, () => this.window(type, scope, depth)]);
    const subqueries = scope.level < 2 ? this.subqueries : null;
    if (subqueries) choices.push([2, () => subqueries.scalar(type, scope, depth - 1)]);
    if (subqueries && type === 'bool') choices.push([4, () => subqueries.condition(scope, depth - 1)]);
    return random.weighted(choices)();
  }

  /** A condition about a column of the scope, which is what most are about. */
  #comparison(scope, depth) {
    const { random } = this;
    const columns = scope.columns.filter(({ type }) => type !== 'json');
    if (columns.length === 0) return this.leaf('bool', scope);
    const { type, node } = random.pick(columns);
    const operator = random.pick(['=', '=', '<>', '<', '<=', '>', '>=', 'IS DISTINCT FROM']);
    return expression('bool', ['(', node, ` ${operator} `, this.of(type, scope, depth - 1), ')']);
  }

  /** A column or a constant. */
  leaf(type, scope, isTame = false) {
    const { random } = this;
    if (random.chance(0.75)) {
      const column = this.column(type, scope, isTame);
      if (column) return column;
    }
    return this.value(type, isTame);
  }

  /** A column of the scope or of one around it, or null. */
  column(type, scope, isTame = false) {
    const { random } = this;
    const fitting = (columns) => columns.filter((column) => column.type === type && !(isTame && column.isWild));
    const own = fitting(scope.columns);
    if (scope.told.length > 0 && this.random.chance(0.2)) own.push(...fitting(scope.told));
    const around = [];
    for (let outer = scope.outer; outer; outer = outer.outer) around.push(...fitting(outer.columns));
    const from = around.length > 0 && (own.length === 0 || random.chance(0.25)) ? around : own;
    return from.length > 0 ? expression(type, [random.pick(from).node]) : null;
  }

  /** A constant. */
  value(type, isTame = false) {
    const { random } = this;
    if (random.chance(0.08)) return expression(type, [nullOf(type)]);
    const { small, edges } = TYPES[type];
    const text = !isTame && edges.length > 0 && random.chance(0.15) ? random.pick(edges) : random.pick(small);
    return expression(type, [value(type, text)]);
  }

  /** An aggregate over the rows that are grouped, or null if there is none of the type. */
  aggregate(type, scope, depth) {
    const { random } = this;
    const templates = AGGREGATES[type];
    if (templates.length === 0) return null;
    // Columns of queries around would make it an aggregate of theirs.
    const rows = new Scope({ columns: scope.grouped.columns });
    const call = new Expressions(random).#template(random.pick(templates), type, rows, Math.min(depth, 2), true);
    if (random.chance(0.8)) return call;
    return expression(type, [call, optional` FILTER (WHERE ${new Expressions(random).of('bool', rows, 1)})`]);
  }

  /** A window function, over all rows in an order without ties. */
  window(type, scope, depth) {
    const { random } = this;
    const inner = new Scope({ columns: scope.columns, outer: scope.outer, grouped: scope.grouped });
    const call = new Expressions(random).#template(
      random.pick(WINDOW_FUNCTIONS[type]),
      type,
      inner,
      Math.min(depth - 1, 1),
      true,
    );
    const counts = countsRows(call);
    // What two functions give to rows that are equal is not the same in each of them.
    if (counts && !hasIds(scope) && this.#counted.has(scope.columns)) return this.leaf(type, scope);
    if (counts) this.#counted.add(scope.columns);
    return expression(type, [call, sql` OVER (${this.#windowDefinition(scope, counts)})`]);
  }

  #windowDefinition(scope, needsOrder) {
    const { random } = this;
    const ordered = scope.columns.filter(({ type }) => TYPES[type].isOrdered);
    const partition =
      random.chance(0.5) && ordered.length > 0
        ? optional`PARTITION BY ${commas(random.some(ordered, 1, 2).map(({ node }) => node))} `
        : nothing;
    const distances = ordered.filter(({ type, isWild }) => DISTANCES[type] && !isWild);
    if (!needsOrder && distances.length > 0 && random.chance(0.3))
      return sql`${partition}${this.#distance(random.pick(distances))}`;
    const keys = random
      .some(ordered, ordered.length, ordered.length)
      .map(({ node }) => sql`${node}${this.direction()}`);
    // Intervals of one length are peers, and differ.
    for (const { type, node } of ordered) if (type === 'interval') keys.push(sql`CAST(${node} AS TEXT)`);
    const order = keys.length > 0 ? sql`ORDER BY ${commas(keys)}` : nothing;
    const frame = keys.length > 0 && random.chance(0.5) ? optional` ${random.weighted(FRAMES)(random)}` : nothing;
    return sql`${partition}${order}${frame}`;
  }

  /** Rows whose key is near: RANGE with an offset, which takes one key. */
  #distance({ type, node }) {
    const { random } = this;
    const near = () => random.pick(DISTANCES[type]);
    const bounds = random.pick([
      () => `BETWEEN ${near()} PRECEDING AND CURRENT ROW`,
      () => `BETWEEN ${near()} PRECEDING AND ${near()} FOLLOWING`,
      () => `BETWEEN CURRENT ROW AND ${near()} FOLLOWING`,
      () => `BETWEEN UNBOUNDED PRECEDING AND ${near()} FOLLOWING`,
      () => `${near()} PRECEDING`,
    ]);
    return sql`ORDER BY ${node}${this.direction()} RANGE ${bounds()}`;
  }

  /** How a key of ORDER BY sorts. */
  direction() {
    return sql`${this.random.weighted([
      [5, ''],
      [2, ' DESC'],
      [1, ' ASC'],
      [1, ' NULLS FIRST'],
      [1, ' DESC NULLS LAST'],
      [1, ' ASC NULLS LAST'],
    ])}`;
  }

  /** Fills the slots of a template; what is no call alone is put into parentheses. */
  #template(template, type, scope, depth, isCall = false) {
    const named = new Map();
    const parts = template.split(/\{(.*?)\}/).map((part, at) => {
      if (at % 2 === 0) return part;
      const [word, name] = part.split(':=');
      const made = named.get(part) ?? this.#slot(word, scope, depth - 1);
      if (name) named.set(part, made);
      return made;
    });
    return isCall ? expression(type, parts) : expression(type, ['(', ...parts, ')']);
  }

  #slot(word, scope, depth) {
    const { random } = this;
    const inner = scope.hasWindows ? new Scope({ ...scope, hasWindows: random.chance(0.3) }) : scope;
    if (word === 'any') return this.of(random.pick(ALL.filter((type) => type !== 'json')), inner, depth);
    if (word === 'ordered') return this.of(random.pick(ORDERED), inner, depth);
    if (word.startsWith('stored:')) return this.leaf(word.slice('stored:'.length), inner.stored());
    if (word.startsWith('leaf:')) return this.leaf(word.slice('leaf:'.length), inner);
    const type = word.replace('!', '');
    if (TYPES[type]) return this.of(type, inner, depth, word !== type);
    const made = constant(random, word);
    if (!made) throw new Error(`no constant is called ${word}`);
    return made;
  }
}

/** Whether every table among the columns has a key, so that no two rows are equal. */
function hasIds({ columns }) {
  const names = columns.map(({ node }) => String(node));
  return names.every((name) => name.includes('.') && names.includes(`${name.split('.')[0]}.id`));
}

const BOUNDS = [
  'UNBOUNDED PRECEDING',
  '2 PRECEDING',
  '1 PRECEDING',
  'CURRENT ROW',
  '1 FOLLOWING',
  '2 FOLLOWING',
  'UNBOUNDED FOLLOWING',
];

/** Whether a function tells apart rows that its order does not. */
const countsRows = (call) =>
  !/^(count|sum|avg|min|max|bool_and|bool_or|rank|dense_rank|percent_rank|cume_dist)\(/.test(call.parts[0]);

/** Offsets of RANGE for keys of a type. */
const DISTANCES = {
  int4: ['1', '2'],
  int8: ['1', '3'],
  float8: ['1', '0.5'],
  numeric: ['1', '2.5'],
  date: ["INTERVAL '1 day'", "INTERVAL '1 month'"],
  timestamp: ["INTERVAL '1 day'", "INTERVAL '12 hours'"],
};

/** Two bounds in order, neither at the wrong end. */
function between(random, mode) {
  const from = random.int(0, 5);
  const to = random.int(Math.max(from, 1), 6);
  const isOffset = (at) => at !== 0 && at !== 3 && at !== 6;
  // RANGE with an offset takes one key, of a number or a time.
  if (mode === 'RANGE' && (isOffset(from) || isOffset(to))) return 'RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING';
  return `${mode} BETWEEN ${BOUNDS[from]} AND ${BOUNDS[to]}`;
}

const FRAMES = [
  [6, (random) => between(random, 'ROWS')],
  [3, (random) => between(random, 'GROUPS')],
  [3, (random) => between(random, 'RANGE')],
  [1, (random) => `ROWS ${random.pick(['UNBOUNDED PRECEDING', '1 PRECEDING', 'CURRENT ROW'])}`],
  [1, () => 'RANGE UNBOUNDED PRECEDING'],
];
