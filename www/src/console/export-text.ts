/** Results as text to copy: CSV and JSON. */
import type { Field } from 'kalamdb';
import { formatValue, plainJson } from './cell-format';

/** A result's rows as arrays in column order. */
export interface Grid {
  readonly fields: readonly Field[];
  readonly rows: readonly (readonly unknown[])[];
}

/** RFC 4180 text with a header line. NULL is an empty field, an empty text is `""`. */
export function toCsv({ fields, rows }: Grid): string {
  const lines = [fields.map((field) => quote(field.name)).join(',')];
  for (const row of rows) lines.push(row.map(csvField).join(','));
  return `${lines.join('\r\n')}\r\n`;
}

/** An array of objects, one a row. Of columns with one name the last wins. */
export function toJson({ fields, rows }: Grid): string {
  const objects = rows.map((row) => Object.fromEntries(fields.map((field, i) => [field.name, row[i] ?? null])));
  return JSON.stringify(objects, plainJson, 2);
}

function csvField(value: unknown): string {
  return value === null || value === undefined ? '' : quote(formatValue(value));
}

function quote(text: string): string {
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
