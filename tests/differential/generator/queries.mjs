// Random queries over the tables of a schema.

import { commas } from './constants.mjs';
import { Expressions, Scope } from './expressions.mjs';
import { FromItems } from './from.mjs';
import { dialect, list, nothing, optional, query, sql } from './nodes.mjs';
import { Subqueries } from './subqueries.mjs';
import { ALL, TYPES } from './types.mjs';

/** The positions of the columns by which a query that stands by itself is ordered. */
export function orderKeys(top) {
  const order = top.parts[0]?.parts?.at(-1);
  return order?.isOrder ? order.parts.find((part) => part.kind === 'list').parts.map(({ key }) => key) : [];
}

const PREFERRED = ['int4', 'int4', 'int8', 'text', 'text', 'float8', 'numeric', 'bool', 'date', 'timestamp'];

export class Queries {
  #names = 0;

  constructor(random, tables) {
    this.random = random;
    this.tables = tables;
    this.expressions = new Expressions(random, new Subqueries(this));
    this.from = new FromItems(this);
  }

  /** A name that is used nowhere else. */
  name(prefix) {
    this.#names += 1;
    return `${prefix}${this.#names}`;
  }

  /** A type for a column. */
  type() {
    const { random } = this;
    if (random.chance(0.4)) return random.pick(random.pick(this.tables).columns).type;
    return random.chance(0.7) ? random.pick(PREFERRED) : random.pick(ALL);
  }

  /** Between `low` and `high` types. */
  types(low, high) {
    return this.random.times(this.random.int(low, high), () => this.type());
  }

  /** A query that stands by itself: its ORDER BY has the positions of its keys. */
  top(depth) {
    const types = this.types(1, 4);
    const body = this.body(types, null, depth, []);
    const order = this.random.chance(0.6) ? this.#orderBy(body.columns) : nothing;
    const statement = sql`${body.with}${body.node}${order}`;
    return query(types, [statement]);
  }

  /** DISTINCT ON: the first row of each key, in an order without ties. */
  #distinctOn(columns, rows, from, where) {
    const { random } = this;
    const keys = rows.columns.filter(({ type }) => TYPES[type].isOrdered);
    const distinct = random.some(keys, 1, 2);
    const rest = keys.filter((key) => !distinct.includes(key));
    const order = [...distinct, ...rest].map(({ node }) => sql`${node}${this.expressions.direction()}`);
    const items = columns.map(({ type, name }) => sql`${this.expressions.leaf(type, rows)} AS ${name}`);
    const select = sql`SELECT DISTINCT ON (${commas(distinct.map(({ node }) => node))}) ${Object.assign(commas(items), { isSelectList: true })}`;
    return query(
      columns.map(({ type }) => type),
      [sql`SELECT * FROM (${select}${from}${where} ORDER BY ${list(', ', order, order.length)}) AS ${this.name('t')}`],
    );
  }

  /** A query whose last part is its condition, so that rows can be parted by it. */
  partition(depth) {
    const { random } = this;
    const { node: from, columns } = this.from.make(null, depth, []);
    const scope = new Scope({ columns });
    const items = this.types(1, 3).map(
      (type) => sql`${this.expressions.of(type, scope, random.int(0, 2))} AS ${this.name('c')}`,
    );
    return sql`SELECT ${Object.assign(commas(items), { isSelectList: true })}${from}${optional` WHERE ${this.#condition(scope, depth)}`}`;
  }

  /** A query in parentheses: `{ node, columns }`. */
  nested(types, outer, depth, ctes) {
    const { random } = this;
    const body = this.body(types, outer, depth, ctes);
    const order = random.chance(0.15) ? this.#orderBy(body.columns) : nothing;
    return { node: query(types, ['(', body.with, body.node, order, ')']), columns: body.columns };
  }

  /** A query without ORDER BY: `{ with, node, columns }`; `columns` are `{ name, type }`. */
  body(types, outer, depth, ctes) {
    const { random } = this;
    const own = [...ctes];
    let before = nothing;
    if (depth > 0 && random.chance(0.15)) before = this.#with(own, outer, depth - 1);
    const columns = types.map((type) => ({ type, name: this.name('c') }));
    if (depth > 0 && random.chance(0.15))
      return { with: before, node: this.#setOperation(columns, outer, depth - 1, own), columns };
    if (random.chance(0.03)) return { with: before, node: this.#values(columns), columns };
    return { with: before, node: this.#select(columns, outer, depth, own), columns };
  }

  #with(ctes, outer, depth) {
    const { random } = this;
    if (random.chance(0.3)) return this.#recursive(ctes);
    const made = random.times(random.int(1, 2), () => {
      const name = this.name('w');
      // A query in WITH knows the ones before it.
      const { node, columns } = this.nested(this.types(1, 3), outer, depth, ctes);
      ctes.push({ name, columns });
      return sql`${name} AS ${node}`;
    });
    return sql`WITH ${commas(made)} `;
  }

  #recursive(ctes) {
    const { random } = this;
    const name = this.name('w');
    const type = random.pick(['int4', 'int8', 'text', 'float8', 'date']);
    const columns = [
      { name: this.name('n'), type: 'int4' },
      { name: this.name('x'), type },
    ];
    const scope = new Scope({ columns: columns.map((column) => ({ type: column.type, node: `r.${column.name}` })) });
    const expressions = new Expressions(random);
    const first = expressions.of(type, new Scope({ columns: [] }), 1, true);
    const next = expressions.of(type, scope, 2, true);
    const all = random.chance(0.7) ? ' ALL' : '';
    ctes.push({ name, columns });
    const typeName = dialect(TYPES[type].ours, TYPES[type].peer);
    return sql`WITH RECURSIVE ${name} (${columns[0].name}, ${columns[1].name}) AS (SELECT 1, CAST(${first} AS ${typeName}) UNION${all} SELECT r.${columns[0].name} + 1, CAST(${next} AS ${typeName}) FROM ${name} AS r WHERE r.${columns[0].name} < ${String(random.int(2, 4))}) `;
  }

  #setOperation(columns, outer, depth, ctes) {
    const { random } = this;
    // Sets compare whole rows.
    const isComparable = columns.every(({ type }) => type !== 'json');
    const operator = isComparable
      ? random.pick(['UNION', 'UNION ALL', 'INTERSECT', 'INTERSECT ALL', 'EXCEPT', 'EXCEPT ALL'])
      : 'UNION ALL';
    const types = columns.map((column) => column.type);
    const side = (names) => {
      if (depth > 0 && random.chance(0.2)) {
        return query(types, ['(', this.#setOperation(names, outer, depth - 1, ctes), ')']);
      }
      return query(types, ['(', this.#select(names, outer, depth, ctes), ')']);
    };
    const other = types.map((type) => ({ type, name: this.name('c') }));
    return query(types, [side(columns), ` ${operator} `, side(other)]);
  }

  #values(columns) {
    const { random } = this;
    const rows = random.times(
      random.int(1, 4),
      () =>
        sql`(${list(
          ', ',
          columns.map(({ type }) => this.expressions.value(type)),
          columns.length,
        )})`,
    );
    const alias = this.name('v');
    const names = columns.map((column) => column.name).join(', ');
    return query(
      columns.map((column) => column.type),
      [sql`SELECT * FROM (VALUES ${commas(rows)}) AS ${alias} (${names})`],
    );
  }

  #select(columns, outer, depth, ctes) {
    const { random } = this;
    const types = columns.map((column) => column.type);
    const { node: from, columns: rowColumns } = this.from.make(outer, depth, ctes);
    const rows = new Scope({ columns: rowColumns, outer });
    const where = random.chance(0.6) ? optional` WHERE ${this.#condition(rows, depth)}` : nothing;
    const kind = random.weighted([
      [10, 'plain'],
      [3, 'windows'],
      [4, 'grouped'],
      [1, 'whole'],
    ]);
    const isSortable =
      rowColumns.length > 0 && rowColumns.every(({ type, isBare }) => TYPES[type].isOrdered && !isBare);
    if (isSortable && random.chance(0.04)) return this.#distinctOn(columns, rows, from, where);
    const isComparable = types.every((type) => type !== 'json');
    const distinct = isComparable && random.chance(0.12) ? optional`DISTINCT ` : nothing;
    const items = (scope) => {
      const made = columns.map(
        ({ type, name }) => sql`${this.expressions.of(type, scope, random.int(1, 3))} AS ${name}`,
      );
      return Object.assign(list(', ', made), { isSelectList: true });
    };
    if (kind === 'grouped') {
      const grouping = this.#grouping(rows);
      const scope = new Scope({
        columns: grouping.columns,
        outer,
        grouped: rows,
        told: grouping.told,
        hasWindows: random.chance(0.1),
      });
      const having = random.chance(0.3)
        ? optional` HAVING ${this.#condition(new Scope({ ...scope, hasWindows: false }), depth)}`
        : nothing;
      return query(types, ['SELECT ', distinct, items(scope), from, where, grouping.node, having]);
    }
    const scope = {
      plain: rows,
      windows: new Scope({ ...rows, hasWindows: true }),
      whole: new Scope({ columns: [], outer, grouped: rows }),
    }[kind];
    return query(types, ['SELECT ', distinct, items(scope), from, where]);
  }

  #condition(scope, depth) {
    return this.expressions.of('bool', scope, this.random.int(1, depth > 0 ? 3 : 2));
  }

  #grouping(rows) {
    const { random } = this;
    const count = random.int(1, 3);
    const keys = random.times(count, () => {
      const types = ALL.filter((type) => type !== 'json');
      const columns = rows.columns.filter(({ type }) => type !== 'json');
      if (columns.length > 0 && random.chance(0.8)) return random.pick(columns);
      const type = random.pick(types);
      return {
        type,
        node: this.expressions.of(type, new Scope({ columns: rows.columns }).plain(), 1),
        isComputed: true,
      };
    });
    // A constant is no key, and an expression is one by its text.
    const plain = keys.filter((key) => !key.isComputed);
    if (plain.length === 0) return { node: nothing, columns: [], told: [] };
    const nodes = plain.map((key) => sql`${key.node}`);
    const form = random.weighted([
      [12, () => commas(nodes)],
      [1, () => sql`ROLLUP (${commas(nodes)})`],
      [1, () => sql`CUBE (${commas(nodes)})`],
      [1, () => sql`GROUPING SETS (${commas([...nodes.map((node) => sql`(${node})`), sql`()`])})`],
    ]);
    const made = form();
    // Which keys a grouping set has.
    const key = plain[0].node;
    const told = made.kind === 'text' ? [{ type: 'int4', node: sql`grouping(${key})` }] : [];
    return { node: sql` GROUP BY ${made}`, columns: plain, told };
  }

  #orderBy(columns) {
    const { random } = this;
    const positions = columns.map(({ type }, at) => ({ type, at })).filter(({ type }) => TYPES[type].isOrdered);
    if (positions.length === 0) return nothing;
    const isWhole = positions.length === columns.length;
    // Intervals of one length are peers, and differ.
    const isTotal = isWhole && columns.every(({ type }) => type !== 'interval');
    const hasLimit = isTotal && random.chance(0.4);
    const keys = random.some(positions, hasLimit ? positions.length : 1, positions.length);
    const nodes = keys.map(({ at }) => {
      const key = sql`${random.chance(0.5) ? String(at + 1) : columns[at].name}${this.expressions.direction()}`;
      return Object.assign(key, { key: at });
    });
    const limit = hasLimit
      ? optional` LIMIT ${String(random.int(0, 5))}${random.chance(0.3) ? optional` OFFSET ${String(random.int(0, 3))}` : nothing}`
      : nothing;
    return Object.assign(optional` ORDER BY ${list(', ', nodes, hasLimit ? nodes.length : 1)}${limit}`, {
      isOrder: true,
    });
  }
}
