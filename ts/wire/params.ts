/**
 * A value that can be bound. undefined is NULL; numbers that are integers arrive as integers; plain objects arrive as
 * JSON, and so do arrays, Float32Array and Float64Array, which array and EMBEDDING columns take too. Other views of
 * memory are bytes.
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
