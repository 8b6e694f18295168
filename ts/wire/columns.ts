import { failure } from '../errors/errors.js';
import type { RowArrays, Rows } from './params.js';

/** Rows turned into columns: `columns[c][r]` is the value of row r in column `names[c]`. */
export interface Columns {
  names: readonly string[];
  rowCount: number;
  columns: unknown[][];
}

/**
 * Turns rows into columns.
 *
 * Rows that are objects must all have the same keys; a key that is there with the value undefined is NULL.
 *
 * @throws TypeError when the argument has another shape
 * @throws {@link KalamDBError} `invalid_parameter_value` when a row has other keys or another length than the columns
 */
export function columnsOf(rows: Rows): Columns {
  if (Array.isArray(rows)) return columnsOfObjects(rows);
  if (typeof rows !== 'object' || rows === null) throw new TypeError('rows must be an array, or { columns, rows }');
  const { columns, rows: arrays } = rows as Partial<RowArrays>;
  if (!Array.isArray(columns) || !columns.every((name) => typeof name === 'string'))
    throw new TypeError('columns must be an array of strings');
  if (!Array.isArray(arrays)) throw new TypeError('rows must be an array of arrays');
  return columnsOfArrays(columns, arrays);
}

function columnsOfArrays(names: readonly string[], rows: readonly unknown[]): Columns {
  const columns = names.map(() => new Array<unknown>(rows.length));
  for (let r = 0; r < rows.length; r++) {
    const row = rows[r];
    if (!Array.isArray(row)) throw new TypeError(`row ${r} must be an array, because columns were given`);
    if (row.length !== columns.length)
      throw failure('invalid_parameter_value', `row ${r} has ${row.length} values for ${columns.length} columns`);
    for (let c = 0; c < columns.length; c++) (columns[c] as unknown[])[r] = row[c];
  }
  return { names, rowCount: rows.length, columns };
}

function columnsOfObjects(rows: readonly unknown[]): Columns {
  const names = rows.length === 0 ? [] : Object.keys(rowObject(rows, 0));
  const columns = names.map(() => new Array<unknown>(rows.length));
  for (let r = 0; r < rows.length; r++) {
    const row = rowObject(rows, r);
    for (let c = 0; c < names.length; c++) {
      const name = names[c] as string;
      const value = row[name];
      if (value === undefined && !Object.hasOwn(row, name)) throw unlikeFirst(r, `has no column "${name}"`);
      (columns[c] as unknown[])[r] = value;
    }
    if (Object.keys(row).length !== names.length) {
      const extra = Object.keys(row).find((key) => !names.includes(key));
      throw unlikeFirst(r, `has the column "${extra}"`);
    }
  }
  return { names, rowCount: rows.length, columns };
}

function rowObject(rows: readonly unknown[], r: number): Record<string, unknown> {
  const row = rows[r];
  if (typeof row === 'object' && row !== null && !Array.isArray(row)) return row as Record<string, unknown>;
  throw new TypeError(`row ${r} must be an object; rows that are arrays need { columns, rows }`);
}

function unlikeFirst(r: number, what: string): Error {
  return failure('invalid_parameter_value', `row ${r} ${what}, unlike row 0`, {
    hint: 'give every row the same keys, with null for NULL',
  });
}
