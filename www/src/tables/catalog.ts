/** Reads what tables and views there are, with as many statements for a hundred as for one. */
import { isKalamDBError, type Row } from 'kalamdb';
import type { CatalogSource } from './catalog-source';
import { fullTableName } from './identifier';
import { countRows } from './row-counts';

/** A column as the table browser shows it. */
export interface CatalogColumn {
  readonly name: string;
  /** The SQL type. */
  readonly type: string;
  readonly isNullable: boolean;
  readonly isKey: boolean;
}

/** A table or view of the user's, with its number of rows. */
export interface CatalogTable {
  readonly namespace: string;
  readonly name: string;
  readonly columns: readonly CatalogColumn[];
  readonly rowCount: number;
}

/** A table without its number of rows; the columns of a view are still to be read. */
interface Shape extends Omit<CatalogTable, 'rowCount'> {
  readonly isView: boolean;
  readonly columns: CatalogColumn[];
}

/** How often the catalog is read when tables go away meanwhile. */
const MAX_ATTEMPTS = 3;

/** One row a column; a view has one row without a column. The schemas that are left out are the engine's own. */
const SHAPES = `
  SELECT t.table_schema AS namespace, t.table_name AS name, t.table_type = 'VIEW' AS is_view,
    c.column_name, c.data_type, c.is_nullable, c.is_primary_key
  FROM information_schema.tables AS t
  LEFT JOIN system.columns AS c ON c.namespace = t.table_schema AND c.table_name = t.table_name
  WHERE t.table_schema NOT IN ('information_schema', 'system')
  ORDER BY t.table_schema, t.table_name, c.ordinal_position`;

/**
 * Reads what tables there are, and counts their rows.
 *
 * @throws KalamDBError as `query` does
 */
export async function readCatalog(db: CatalogSource): Promise<CatalogTable[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await readOnce(db);
    } catch (error) {
      // Between two of the statements another tab may have dropped a table: the next reading does not name it.
      const isGone = isKalamDBError(error) && error.code === 'undefined_table';
      if (!isGone || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

async function readOnce(db: CatalogSource): Promise<CatalogTable[]> {
  const shapes = readShapes((await db.query(SHAPES)).rows);
  const views = shapes.filter((shape) => shape.isView);
  const [counts] = await Promise.all([countRows(db, shapes), readViews(db, views)]);
  return shapes.map(({ namespace, name, columns }, at) => ({ namespace, name, columns, rowCount: counts[at] ?? 0 }));
}

/** Puts the rows of one table together; they follow each other. */
function readShapes(rows: readonly Row[]): Shape[] {
  const shapes: Shape[] = [];
  for (const row of rows) {
    const [namespace, name] = [String(row.namespace), String(row.name)];
    let shape = shapes.at(-1);
    if (shape?.namespace !== namespace || shape.name !== name) {
      shape = { namespace, name, isView: row.is_view === true, columns: [] };
      shapes.push(shape);
    }
    if (row.column_name !== null) shape.columns.push(readColumn(row));
  }
  return shapes;
}

/** Adds the columns of the views, with one call. Only DESCRIBE has their types as SQL writes them. */
async function readViews(db: CatalogSource, views: readonly Shape[]): Promise<void> {
  if (views.length === 0) return;
  const described = await db.exec(
    views.map(({ namespace, name }) => `DESCRIBE ${fullTableName(namespace, name)}`).join('; '),
  );
  for (const [at, view] of views.entries()) view.columns.push(...(described[at]?.rows ?? []).map(readColumn));
}

function readColumn(row: Row): CatalogColumn {
  return {
    name: String(row.column_name),
    type: String(row.data_type),
    isNullable: row.is_nullable === true,
    isKey: row.is_primary_key === true,
  };
}
