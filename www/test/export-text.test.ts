import { describe, expect, test } from 'vitest';
import { type Grid, toCsv, toJson } from '../src/console/export-text';

const grid = (names: readonly string[], ...rows: unknown[][]): Grid => ({
  fields: names.map((name) => ({ name, type: 'TEXT' })),
  rows,
});

describe('CSV', () => {
  test('has a header, and lines that end as the standard says', () => {
    expect(toCsv(grid(['id', 'name'], [1, 'tea'], [2n, 'salt']))).toBe('id,name\r\n1,tea\r\n2,salt\r\n');
    expect(toCsv(grid(['id']))).toBe('id\r\n');
  });

  test('quotes what would be read otherwise, in names too', () => {
    expect(toCsv(grid(['a,b', 'say "c"'], ['x\ny', 'z\r'], ['"', ',']))).toBe(
      '"a,b","say ""c"""\r\n"x\ny","z\r"\r\n"""",","\r\n',
    );
  });

  test('tells NULL from an empty text', () => {
    expect(toCsv(grid(['a', 'b', 'c'], [null, '', undefined]))).toBe('a,b,c\r\n,"",\r\n');
  });
});

describe('JSON', () => {
  test('has an object for each row, with NULL for what is missing', () => {
    expect(JSON.parse(toJson(grid(['id', 'note'], [1, 'tea'], [2])))).toEqual([
      { id: 1, note: 'tea' },
      { id: 2, note: null },
    ]);
    expect(toJson(grid(['id']))).toBe('[]');
  });

  test('has a text for what JSON has no form of', () => {
    const values = [9223372036854775807n, new Uint8Array([222, 173]), Number.NaN];
    expect(JSON.parse(toJson(grid(['big', 'bytes', 'no'], values)))).toEqual([
      { big: '9223372036854775807', bytes: '\\xdead', no: 'NaN' },
    ]);
  });

  test('keeps the last of columns with one name', () => {
    expect(JSON.parse(toJson(grid(['a', 'a'], [1, 2])))).toEqual([{ a: 2 }]);
  });
});
