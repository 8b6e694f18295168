/** A value of a row. Which one a column has follows from its SQL type; arrays and structs are arrays and objects. */
export type Value = null | boolean | number | bigint | string | Uint8Array | Date | Value[] | { [name: string]: Value };

/** A row as an object: one property a column. When two columns have the same name, the last one wins. */
export type Row = Record<string, Value>;

/** A column of a result. */
export interface Field {
  name: string;
  /** The name of the SQL type, such as `BIGINT`. */
  type: string;
}

/** What one statement gave. */
export interface Result<T = Row> {
  /** The rows in order; empty for statements that return none. */
  rows: T[];
  /** The columns of the rows, also when there are no rows. */
  fields: Field[];
  /** How many rows there are in `rows`. */
  rowCount: number;
  /** How many rows the statement wrote; absent for statements that do not write rows. */
  affectedRows?: number;
  /** The kind of statement, such as `SELECT` or `CREATE TABLE`. */
  command: string;
  /** The time inside the engine, in milliseconds. */
  tookMs: number;
  /** The sequence number of the commit; absent when nothing was committed, as within a transaction. */
  seq?: number;
  /** The user as whom the statement ran; absent where that is the session's own. */
  asUser?: string;
}

/** What an insert of rows did. */
export interface InsertResult {
  affectedRows: number;
  /** The sequence number of the commit; null when nothing was committed, as within a transaction. */
  seq: number | null;
}
