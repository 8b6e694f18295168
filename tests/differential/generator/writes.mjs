// Random INSERT, UPDATE and DELETE, with RETURNING.

import { commas } from './constants.mjs';
import { Scope } from './expressions.mjs';
import { list, nothing, optional, sql } from './nodes.mjs';
import { Queries } from './queries.mjs';

export class Writes {
  constructor(random, tables) {
    this.random = random;
    this.tables = tables;
    this.queries = new Queries(random, tables);
  }

  /** A statement that writes; `target` is the table to read back. */
  any() {
    const { random } = this;
    const target = random.pick(this.tables);
    const make = random.pick([
      () => this.#insert(target),
      () => this.#insert(target),
      () => this.#update(target),
      () => this.#delete(target),
    ]);
    return Object.assign(make(), { target: target.name });
  }

  #of(type, scope, depth, isTame = true) {
    return this.queries.expressions.of(type, scope, depth, isTame);
  }

  #insert(target) {
    const { random } = this;
    const columns = target.columns.filter((column) => column.isId || random.chance(0.8));
    if (columns.length === 0) columns.push(target.columns[0]);
    const names = columns.map(({ name }) => name).join(', ');
    const source = random.chance(0.5) ? this.#values(columns) : this.#source(columns);
    const conflict = target.hasId && random.chance(0.5) ? this.#conflict(target) : nothing;
    return sql`INSERT INTO ${target.name} (${names}) ${source}${conflict}${this.#returning(target, target.name)}`;
  }

  #values(columns) {
    const { random } = this;
    const scope = new Scope({ columns: [] });
    const cell = (column) => (column.isId ? String(random.int(1, 20)) : this.#of(column.type, scope, random.int(0, 2)));
    const rows = random.times(random.int(1, 3), () => sql`(${list(', ', columns.map(cell), columns.length)})`);
    return sql`VALUES ${commas(rows)}`;
  }

  /** A query that gives a key at most once. */
  #source(columns) {
    const { random } = this;
    const from = random.pick(this.tables.filter(({ hasId }) => hasId)) ?? random.pick(this.tables);
    const alias = this.queries.name('t');
    const scope = new Scope({
      columns: from.columns.map(({ name, type, isWild }) => ({ type, isWild, node: `${alias}.${name}` })),
    });
    const key = from.hasId ? sql`${alias}.id + ${random.pick(['0', '5', '100'])}` : '50';
    const items = columns.map((column) => (column.isId ? key : this.#of(column.type, scope, random.int(0, 2))));
    const limit = from.hasId ? '' : ' LIMIT 0';
    const where = optional` WHERE ${this.#of('bool', scope, 2, false)}`;
    return sql`SELECT ${list(', ', items, items.length)} FROM ${from.name} AS ${alias}${where}${limit}`;
  }

  #conflict(target) {
    const { random } = this;
    if (random.chance(0.5)) return sql` ON CONFLICT${random.chance(0.5) ? ' (id)' : ''} DO NOTHING`;
    const named = (prefix) =>
      target.columns.map(({ name, type, isWild }) => ({ type, isWild, node: `${prefix}.${name}` }));
    const scope = new Scope({ columns: [...named(target.name), ...named('excluded')] });
    const where = random.chance(0.3) ? optional` WHERE ${this.#of('bool', scope, 1, false)}` : nothing;
    return sql` ON CONFLICT (id) DO UPDATE SET ${this.#assignments(target, scope)}${where}`;
  }

  #assignments(target, scope) {
    const { random } = this;
    const columns = random.some(
      target.columns.filter(({ isId }) => !isId),
      1,
      2,
    );
    return commas(columns.map(({ name, type }) => sql`${name} = ${this.#of(type, scope, random.int(0, 2))}`));
  }

  /** Another table of which each row of the target meets one row at most: `{ node, condition, columns }`. */
  #other(target, alias) {
    const { random } = this;
    const other = random.pick(this.tables.filter((table) => table.hasId));
    const meets = target.columns.filter(({ type }) => type === 'int4');
    if (!other || meets.length === 0 || random.chance(0.6)) return null;
    const name = this.queries.name('t');
    return {
      node: sql`${other.name} AS ${name}`,
      condition: sql`${name}.id = ${alias}.${random.pick(meets).name}`,
      columns: other.columns.map((column) => ({
        type: column.type,
        isWild: column.isWild,
        node: `${name}.${column.name}`,
      })),
    };
  }

  #update(target) {
    const alias = this.queries.name('t');
    const other = this.#other(target, alias);
    const scope = this.#scope(target, alias, other);
    const from = other ? sql` FROM ${other.node}` : nothing;
    return sql`UPDATE ${target.name} AS ${alias} SET ${this.#assignments(target, scope)}${from}${this.#where(scope, other)}${this.#returning(target, alias)}`;
  }

  #delete(target) {
    const alias = this.queries.name('t');
    const other = this.#other(target, alias);
    const scope = this.#scope(target, alias, other);
    const using = other ? sql` USING ${other.node}` : nothing;
    return sql`DELETE FROM ${target.name} AS ${alias}${using}${this.#where(scope, other)}${this.#returning(target, alias)}`;
  }

  #scope(target, alias, other) {
    const own = target.columns.map(({ name, type, isWild }) => ({ type, isWild, node: `${alias}.${name}` }));
    return new Scope({ columns: [...own, ...(other?.columns ?? [])] });
  }

  #where(scope, other) {
    const condition = this.#of('bool', scope, this.random.int(1, 3), false);
    if (other) return sql` WHERE ${other.condition}${optional` AND ${condition}`}`;
    return this.random.chance(0.9) ? optional` WHERE ${condition}` : nothing;
  }

  #returning(target, alias) {
    const { random } = this;
    if (random.chance(0.3)) return nothing;
    if (random.chance(0.3)) return optional` RETURNING *`;
    const scope = this.#scope(target, alias, null);
    const items = random.times(
      random.int(1, 3),
      () => sql`${this.#of(this.queries.type(), scope, 2)} AS ${this.queries.name('c')}`,
    );
    return optional` RETURNING ${commas(items)}`;
  }
}
