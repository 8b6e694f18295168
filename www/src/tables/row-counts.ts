/** Counts the rows of many tables at once. */
import type { CatalogSource } from './catalog-source';
import { fullTableName } from './identifier';

/** A statement may have 250 set operations, and read 1000 tables with those that its views read. */
const MAX_TABLES = 100;

/** A table or view by its name. */
export interface TableName {
  readonly namespace: string;
  readonly name: string;
}

/**
 * The rows that each table shows, in the order of `tables`. `system.stats` would count those of all users.
 *
 * @throws KalamDBError `undefined_table` when one of them is gone
 */
export async function countRows(db: CatalogSource, tables: readonly TableName[]): Promise<number[]> {
  const counts: number[] = [];
  for (let from = 0; from < tables.length; from += MAX_TABLES) {
    const { rows } = await db.query(countStatement(tables.slice(from, from + MAX_TABLES)));
    for (const { at, n } of rows) counts[from + Number(at)] = Number(n);
  }
  return counts;
}

/** The parts of UNION ALL come in any order, so each row says which table it is of. */
function countStatement(tables: readonly TableName[]): string {
  return tables
    .map(({ namespace, name }, at) => `SELECT ${at} AS at, count(*) AS n FROM ${fullTableName(namespace, name)}`)
    .join(' UNION ALL ');
}
