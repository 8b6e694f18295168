import type { KalamDB } from 'kalamdb';
import { identifier } from './identifier';

/** A column as the table browser shows it. */
export interface CatalogColumn {
  readonly name: string;
  /** The SQL type. */
  readonly type: string;
  readonly isNullable: boolean;
  readonly isKey: boolean;
}

/** A table of the user's, with its number of rows. */
export interface CatalogTable {
  readonly namespace: string;
  readonly name: string;
  readonly columns: readonly CatalogColumn[];
  readonly rowCount: number;
}

/** A row of `DESCRIBE`. */
interface Description {
  readonly column_name: string;
  readonly data_type: string;
  readonly is_nullable: boolean;
  readonly is_primary_key: boolean;
}

/** The user's tables; the other schemas are the engine's own. */
const TABLES = `
  SELECT table_schema AS namespace, table_name AS name FROM information_schema.tables
  WHERE table_schema NOT IN ('information_schema', 'system') ORDER BY table_schema, table_name`;

/** Reads what tables there are, and counts their rows. */
export async function readCatalog(db: KalamDB): Promise<CatalogTable[]> {
  const { rows } = await db.query<{ namespace: string; name: string }>(TABLES);
  return Promise.all(rows.map(({ namespace, name }) => readTable(db, namespace, name)));
}

/** A table's name for SQL text; the namespace is left out where it is the current one. */
export function tableName(namespace: string, name: string): string {
  return namespace === 'default' ? identifier(name) : `${identifier(namespace)}.${identifier(name)}`;
}

async function readTable(db: KalamDB, namespace: string, name: string): Promise<CatalogTable> {
  const table = tableName(namespace, name);
  const [described, count] = await Promise.all([
    db.query<Description>(`DESCRIBE ${table}`),
    db.queryOne<{ n: number }>(`SELECT count(*) AS n FROM ${table}`),
  ]);
  const columns = described.rows.map((row) => ({
    name: row.column_name,
    type: row.data_type,
    isNullable: row.is_nullable,
    isKey: row.is_primary_key,
  }));
  return { namespace, name, columns, rowCount: count?.n ?? 0 };
}
