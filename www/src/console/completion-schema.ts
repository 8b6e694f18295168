/** The names that the editor completes. */
import type { CatalogTable } from '../tables/catalog';

/** By namespace and table the names of the columns. */
export type CompletionSchema = Record<string, Record<string, string[]>>;

/** What completion offers for these tables. */
export function completionSchema(tables: readonly CatalogTable[]): CompletionSchema {
  const schema: CompletionSchema = {};
  for (const { namespace, name, columns } of tables) {
    schema[namespace] = { ...schema[namespace], [name]: columns.map((column) => column.name) };
  }
  return schema;
}
