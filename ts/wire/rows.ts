import type { Value } from './result.js';

/** Appends rows as arrays in column order. */
export function rowsOf(columns: readonly Value[][], rowCount: number, rows: unknown[]): void {
  const width = columns.length;
  for (let r = 0; r < rowCount; r++) {
    const row = new Array<Value>(width);
    for (let c = 0; c < width; c++) row[c] = (columns[c] as Value[])[r] as Value;
    rows.push(row);
  }
}

/** Appends rows as objects; of several columns with one name the last wins. */
export function objectsOf(
  names: readonly string[],
  columns: readonly Value[][],
  rowCount: number,
  rows: unknown[],
): void {
  const width = names.length;
  // Assigning to `__proto__` would change the prototype instead of making a property.
  const set = names.includes('__proto__') ? define : assign;
  for (let r = 0; r < rowCount; r++) {
    const row: Record<string, Value> = {};
    for (let c = 0; c < width; c++) set(row, names[c] as string, (columns[c] as Value[])[r] as Value);
    rows.push(row);
  }
}

function assign(row: Record<string, Value>, name: string, value: Value): void {
  row[name] = value;
}

function define(row: Record<string, Value>, name: string, value: Value): void {
  Object.defineProperty(row, name, { value, writable: true, enumerable: true, configurable: true });
}
