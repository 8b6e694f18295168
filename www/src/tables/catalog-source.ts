/** What reading the catalog takes of a database. */
import type { Row } from 'kalamdb';

/** Rows of one statement. */
export interface Rows {
  readonly rows: readonly Row[];
}

/** A `KalamDB` is one. */
export interface CatalogSource {
  /** Runs one statement. */
  query(text: string): Promise<Rows>;
  /** Runs several statements, separated by semicolons, with one call. */
  exec(text: string): Promise<readonly Rows[]>;
}
