// What stands in FROM: tables, subqueries, LATERAL, functions, and joins of every kind.

import { commas } from './constants.mjs';
import { Scope } from './expressions.mjs';
import { either, nothing, sql } from './nodes.mjs';

export class FromItems {
  constructor(queries) {
    this.queries = queries;
    this.random = queries.random;
  }

  /** `{ node, columns }`: the clause, or nothing, and what may be named. */
  make(outer, depth, ctes) {
    const { random } = this;
    if (random.chance(0.03)) return { node: nothing, columns: [] };
    let joined = this.#item([], outer, depth, ctes);
    const more = random.weighted([
      [10, 0],
      [7, 1],
      [3, 2],
    ]);
    for (let count = 1; count <= more; count++) joined = this.#join(joined, outer, depth, ctes, count === more);
    return { node: sql` FROM ${joined.node}`, columns: joined.columns };
  }

  #item(before, outer, depth, ctes) {
    const { random, queries } = this;
    const alias = queries.name('t');
    const named = (columns) => columns.map(({ name, type, isWild }) => ({ type, isWild, node: `${alias}.${name}` }));
    const computed = (columns) => named(columns).map((column) => ({ ...column, isComputed: true }));
    if (ctes.length > 0 && random.chance(0.6)) {
      const { name, columns } = random.pick(ctes);
      return { node: sql`${name} AS ${alias}`, columns: computed(columns) };
    }
    if (depth > 0 && random.chance(0.2)) {
      const { node, columns } = queries.nested(queries.types(1, 3), outer, depth - 1, ctes);
      return { node: sql`${node} AS ${alias}`, columns: computed(columns) };
    }
    if (random.chance(0.06)) return this.#function(alias, before);
    const table = random.pick(queries.tables);
    if (random.chance(0.05)) {
      // The first columns are named anew, the others keep their names.
      const anew = table.columns.slice(0, random.int(1, table.columns.length)).map(() => queries.name('a'));
      const columns = table.columns.map((column, at) => ({ ...column, name: anew[at] ?? column.name }));
      return { node: sql`${table.name} AS ${alias} (${anew.join(', ')})`, columns: named(columns) };
    }
    return { node: sql`${table.name} AS ${alias}`, columns: named(table.columns), table, alias };
  }

  #function(alias, before) {
    const { random, queries } = this;
    if (random.chance(0.5)) {
      return {
        node: sql`generate_series(1, ${String(random.int(0, 4))}) AS ${alias} (g)`,
        columns: [{ type: 'int4', node: `${alias}.g` }],
      };
    }
    const type = random.pick(['int4', 'text']);
    const array = queries.expressions.leaf(`${type}[]`, new Scope({ columns: before }));
    return { node: sql`unnest(${array}) AS ${alias} (e)`, columns: [{ type, node: `${alias}.e` }] };
  }

  #join(left, outer, depth, ctes, isLast) {
    const { random } = this;
    if (depth > 0 && random.chance(0.1)) return this.#lateral(left, outer, depth, ctes);
    const right = this.#item([], outer, depth, ctes);
    // A merged column is ambiguous when another table has one of its name.
    const names = right.table?.columns.map(({ name }) => name) ?? [];
    const before = left.columns.filter(({ isBare, node }) => !(isBare && names.includes(node)));
    const both = { columns: [...before, ...right.columns] };
    const kind = random.weighted([
      [5, 'JOIN'],
      [5, 'LEFT JOIN'],
      [2, 'RIGHT JOIN'],
      [2, 'FULL JOIN'],
      [2, 'CROSS JOIN'],
      // It binds looser than JOIN.
      [isLast ? 1 : 0, ','],
    ]);
    if (kind === ',' || kind === 'CROSS JOIN')
      return { ...both, node: either`${left.node}${kind === ',' ? '' : ' '}${kind} ${right.node}` };
    if (left.table && right.table && random.chance(0.2)) {
      const shared = left.table.columns.filter(
        ({ name, type }) => type !== 'json' && right.table.columns.some((other) => other.name === name),
      );
      if (shared.length > 0) return this.#using(left, right, kind, shared, both);
    }
    return {
      ...both,
      node: either`${left.node} ${kind} ${right.node} ON ${this.#condition(before, right.columns, kind, outer)}`,
    };
  }

  #using(left, right, kind, shared, both) {
    const { random } = this;
    // NATURAL takes all columns of one name, and those of JSON do not compare.
    const isNatural =
      random.chance(0.3) &&
      !left.table.columns.some(
        ({ name, type }) => type === 'json' && right.table.columns.some((other) => other.name === name),
      );
    const merged = isNatural ? shared : random.some(shared, 1, 2);
    const columns = [...both.columns, ...merged.map(({ name, type }) => ({ type, node: name, isBare: true }))];
    if (isNatural) return { columns, node: either`${left.node} NATURAL ${kind} ${right.node}` };
    return {
      columns,
      node: either`${left.node} ${kind} ${right.node} USING (${commas(merged.map(({ name }) => sql`${name}`))})`,
    };
  }

  #condition(left, right, kind, outer) {
    const { random, queries } = this;
    const pairs = left.flatMap((a) => right.filter((b) => a.type === b.type && a.type !== 'json').map((b) => [a, b]));
    const equal = random.some(pairs, 1, 2).map(([a, b]) => sql`${a.node} = ${b.node}`);
    // PostgreSQL has FULL JOIN on equality only.
    if (kind === 'FULL JOIN') return equal.length > 0 ? sql`${commas(equal.slice(0, 1))}` : 'TRUE';
    const scope = new Scope({ columns: [...left, ...right], outer });
    const also =
      equal.length === 0 || random.chance(0.25) ? [queries.expressions.of('bool', scope, random.int(1, 2))] : [];
    const all = [...equal.slice(0, random.int(1, 2)), ...also];
    return sql`${all.flatMap((part, at) => (at === 0 ? [part] : [' AND ', part]))}`;
  }

  #lateral(left, outer, depth, ctes) {
    const { random, queries } = this;
    const alias = queries.name('t');
    const scope = new Scope({ columns: left.columns.filter(({ isBare }) => !isBare), outer });
    const { node, columns } = queries.nested(queries.types(1, 2), scope, depth - 1, ctes);
    const join = random.pick([
      sql`CROSS JOIN LATERAL ${node} AS ${alias}`,
      sql`LEFT JOIN LATERAL ${node} AS ${alias} ON TRUE`,
    ]);
    return {
      node: either`${left.node} ${join}`,
      columns: [
        ...left.columns,
        ...columns.map(({ name, type }) => ({ type, node: `${alias}.${name}`, isComputed: true })),
      ],
    };
  }
}
