/**
 * A value that can be bound. undefined is NULL; numbers that are integers arrive as integers; plain objects and
 * arrays arrive as JSON.
 */
export type Param =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | Date
  | ArrayBuffer
  | ArrayBufferView
  | object;

/** Rows for an insert, as arrays of values in the order of `columns`. */
export interface RowArrays {
  columns: readonly string[];
  rows: readonly (readonly Param[])[];
}

/** Rows for an insert: objects with the columns as properties, or arrays of values. */
export type Rows = readonly object[] | RowArrays;
