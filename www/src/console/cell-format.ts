/** The texts of values, for the table and for export. */

/** Columns of these SQL types are aligned to the right. `INTERVAL` is not one of them. */
const NUMERIC = /^(TINYINT|SMALLINT|INT|INTEGER|BIGINT|REAL|FLOAT|DOUBLE|DECIMAL|NUMERIC)\b/i;

/** Bytes shown of a BYTEA value before it is cut. */
const MAX_BYTES_SHOWN = 64;

/** Whether values of a column of this SQL type read as numbers. */
export function isNumericType(type: string): boolean {
  return NUMERIC.test(type);
}

/** The text of a value other than NULL, as the table and a CSV file show it. */
export function formatValue(value: unknown, maxBytes = Number.POSITIVE_INFINITY): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      if (value instanceof Uint8Array) return formatBytes(value, maxBytes);
      if (value instanceof Date) return value.toISOString();
      return JSON.stringify(value, plainJson);
  }
}

/** {@link formatValue} for a cell on the screen: long bytes are cut, line breaks stay visible in one line. */
export function formatCell(value: unknown): string {
  return formatValue(value, MAX_BYTES_SHOWN).replace(/\r\n|\r|\n/g, '\u23ce');
}

/** A `JSON.stringify` replacer for what JSON has no form of. */
export function plainJson(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return formatBytes(value, Number.POSITIVE_INFINITY);
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return value;
}

function formatBytes(bytes: Uint8Array, max: number): string {
  const shown = bytes.length > max ? bytes.subarray(0, max) : bytes;
  const hex = Array.from(shown, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `\\x${hex}${bytes.length > max ? '\u2026' : ''}`;
}
