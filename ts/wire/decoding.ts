/** How rows and values are given back. */
export interface QueryOptions {
  /** `'object'` (the default): one property a column; `'array'`: values in column order. */
  rowMode?: 'object' | 'array';
  /** BIGINT values: `'auto'` (the default) gives a number where that is exact, else a bigint. */
  int64?: 'auto' | 'bigint' | 'number' | 'string';
  /**
   * TIMESTAMP values: `'date'` (the default) cuts to whole milliseconds, `'iso'` is a string exact to the
   * microsecond, `'epochMs'` milliseconds since 1970 with a fraction.
   */
  timestamps?: 'date' | 'iso' | 'epochMs';
}

/** Query options with every default filled in. @internal */
export type Decoding = Required<QueryOptions>;
