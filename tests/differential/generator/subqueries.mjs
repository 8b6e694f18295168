// Subqueries within expressions: values, IN, EXISTS, ANY and ALL.

import { Scope } from './expressions.mjs';
import { expression, query, sql } from './nodes.mjs';
import { TYPES } from './types.mjs';

export class Subqueries {
  constructor(queries) {
    this.queries = queries;
    this.random = queries.random;
  }

  /** A subquery of one row at most. */
  scalar(type, scope, depth) {
    const { random, queries } = this;
    const outer = this.#outer(scope);
    if (random.chance(0.6) || !TYPES[type].isOrdered) {
      const { node: from, columns } = queries.from.make(outer, Math.min(depth, 1), []);
      const rows = new Scope({ columns, outer });
      const item = queries.expressions.aggregate(type, new Scope({ columns: [], grouped: rows }), 2);
      const where = sql` WHERE ${queries.expressions.of('bool', rows, 2)}`;
      if (item) return expression(type, [query([type], ['(SELECT ', item, from, where, ')'])]);
    }
    const { node, columns } = queries.nested([type], outer, Math.min(depth, 1), []);
    return expression(type, [
      query([type], ['(SELECT ', columns[0].name, ' FROM ', node, ` AS ${queries.name('t')} ORDER BY 1 LIMIT 1)`]),
    ]);
  }

  /** A condition about a subquery. */
  condition(scope, depth) {
    const { random, queries } = this;
    const outer = this.#outer(scope);
    const level = Math.min(depth, 1);
    if (random.chance(0.35)) {
      const { node } = queries.nested([queries.type()], outer, level, []);
      return expression('bool', [random.pick(['EXISTS ', 'NOT EXISTS ', 'EXISTS ']), node]);
    }
    let type = queries.type();
    while (type === 'json') type = queries.type();
    const operand = queries.expressions.of(type, scope, 1);
    const { node } = queries.nested([type], outer, level, []);
    const operator = random.weighted([
      [5, 'IN'],
      [4, 'NOT IN'],
      [1, '= ANY'],
      [1, '<> ALL'],
      [1, '< ANY'],
      [1, '>= ALL'],
      [1, '> ALL'],
      [1, '<> ANY'],
    ]);
    return expression('bool', ['(', operand, ` ${operator} `, node, ')']);
  }

  /** What a subquery may name. A name without a table would mean another column there. */
  #outer(scope) {
    return new Scope({ columns: scope.columns.filter(({ isBare }) => !isBare), outer: scope.outer });
  }
}
