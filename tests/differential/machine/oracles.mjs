// Oracles that need no peer: two ways to ask the engine the same, which must have one answer.

import { nothing, render, sql } from '../generator/nodes.mjs';
import { orderKeys } from '../generator/queries.mjs';
import { definitionsOf, NOT_KEYS } from '../generator/schema.mjs';
import { difference } from './compare.mjs';

/** The optimizer rules that no plan needs. */
const RULES = [
  'rewrite_set_comparison',
  'optimize_unions',
  'eliminate_join',
  'extract_equijoin_predicate',
  'eliminate_duplicated_expr',
  'eliminate_filter',
  'eliminate_cross_join',
  'eliminate_limit',
  'propagate_empty_relation',
  'filter_null_join_keys',
  'eliminate_outer_join',
  'push_down_limit',
  'push_down_filter',
  'single_distinct_aggregation_to_group_by',
  'eliminate_group_by_constant',
  'common_sub_expression_eliminate',
  'extract_leaf_expressions',
  'push_down_leaf_projections',
  'optimize_projections',
];

/** Types of results, by the names that the engine gives them, as PostgreSQL's ids: see compare.mjs. */
const IDS = { BOOLEAN: 16, DOUBLE: 701, REAL: 700, JSON: 3802 };
const asPeer = (answer) =>
  answer.error ? answer : { ...answer, columns: answer.columns.map(({ type }) => ({ type: IDS[type] ?? 25 })) };

/** The tables in another form, each in a namespace of its own. */
const FORMS = {
  indexed: (table) => ({
    ...table,
    index: table.columns.filter(({ type }) => !NOT_KEYS.includes(type)).map(({ name }) => name),
    indexesApart: true,
  }),
  stored: (table) => ({ ...table, stored: table.rows.length }),
  keyless: (table) => ({ ...table, columns: table.columns.map((column) => ({ ...column, isId: false })) }),
};

export class Oracles {
  #tables = null;
  #made = new Set();

  constructor(engine) {
    this.engine = engine;
  }

  /** The difference between a case's two answers, or null. */
  async difference({ tables, query, oracle }) {
    if (this.#tables !== tables) this.#made.clear();
    this.#tables = tables;
    return this[oracle.name](query, oracle);
  }

  /** Forgets what namespaces there are, as the engine has begun anew. */
  forget() {
    this.#tables = null;
  }

  #ask(node, options = {}) {
    const { sql: text, parameters } = render(node, 'ours', options.withParameters);
    return this.engine.query(text, parameters, options.withoutRules);
  }

  async #compare(query, answer, expected) {
    const died = [answer, expected].find(({ trap }) => trap);
    if (died) return { kind: 'trap', detail: died.error.message, answer, expected };
    if (answer.error && expected.error) return null;
    const found = difference(answer, asPeer(expected), orderKeys(query));
    return found && { ...found, answer, expected };
  }

  /** Parameters in the place of literals. */
  async parameters(query) {
    return this.#compare(query, await this.#ask(query, { withParameters: true }), await this.#ask(query));
  }

  /** Planned without some of the optimizer's rules. */
  async rules(query, { without }) {
    return this.#compare(query, await this.#ask(query, { withoutRules: without }), await this.#ask(query));
  }

  /** Over the same rows in tables with indexes, in segments, or without keys. */
  async form(query, { form }) {
    await this.#make(form);
    await this.#ask(sql`USE ${form}`);
    const answer = await this.#ask(query);
    await this.#ask(sql`USE "default"`);
    return this.#compare(query, answer, await this.#ask(query));
  }

  async #make(form) {
    if (this.#made.has(form)) return;
    this.#made.add(form);
    await this.#ask(sql`DROP NAMESPACE IF EXISTS ${form} CASCADE`);
    await this.#ask(sql`CREATE NAMESPACE ${form}`);
    await this.#ask(sql`USE ${form}`);
    for (const statement of definitionsOf(this.#tables.map(FORMS[form]))) await this.#ask(statement);
    await this.#ask(sql`USE "default"`);
  }

  /** How many rows the plan's last operator says that it gives. */
  async analyze(query) {
    const [expected, plan] = [await this.#ask(query), await this.#ask(sql`EXPLAIN ANALYZE ${query}`)];
    if (expected.error || plan.error) return this.#compare(query, plan, expected);
    // Thousands are rounded.
    const [, counted, unit] = /output_rows=([\d.]+)( [KMB])?/.exec(plan.rows[0][1].split('\n')[0]) ?? [];
    if (counted === undefined || unit || Number(counted) === expected.rows.length) return null;
    return { kind: 'rows', detail: `EXPLAIN ANALYZE counts ${counted} rows`, answer: plan, expected };
  }

  /** A query, and the rows of it for which a condition is true, false and NULL. */
  async partition(query) {
    const [head, where] = [query.parts.slice(0, -1), query.parts.at(-1)];
    if (where.parts.length === 0) return null;
    const condition = where.parts[1];
    const part = (test) => this.#ask(sql`${head} WHERE ${test}`);
    const whole = await this.#ask(sql`${head}${nothing}`);
    const parts = [
      await part(sql`(${condition})`),
      await part(sql`NOT (${condition})`),
      await part(sql`(${condition}) IS NULL`),
    ];
    const failed = parts.find(({ trap }) => trap) ?? parts.find(({ error }) => error);
    return this.#compare(query, failed ?? { ...whole, rows: parts.flatMap(({ rows }) => rows) }, whole);
  }
}

/** An oracle for a query. */
export function anyOracle(random) {
  return random.weighted([
    [3, () => ({ name: 'parameters' })],
    [3, () => ({ name: 'rules', without: random.chance(0.3) ? RULES : random.some(RULES, 1, 4) })],
    [1, () => ({ name: 'form', form: 'indexed' })],
    [1, () => ({ name: 'form', form: 'stored' })],
    [1, () => ({ name: 'form', form: 'keyless' })],
    [1, () => ({ name: 'analyze' })],
    [4, () => ({ name: 'partition' })],
  ])();
}
