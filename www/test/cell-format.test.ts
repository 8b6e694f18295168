import { describe, expect, test } from 'vitest';
import { formatCell, formatValue, isNumericType } from '../src/console/cell-format';

test('columns of numbers are known by their types', () => {
  const numbers = ['TINYINT', 'INTEGER', 'int', 'BIGINT UNSIGNED', 'REAL', 'DOUBLE', 'DECIMAL(10,2)'];
  const others = ['INTERVAL', 'TEXT', 'VARCHAR(20)', 'BOOLEAN', 'TIMESTAMP', 'EMBEDDING(3)', 'UUID', 'POINT'];
  expect(numbers.filter(isNumericType)).toEqual(numbers);
  expect(others.filter(isNumericType)).toEqual([]);
});

describe('the text of a value', () => {
  test.each([
    ['a text', 'a text'],
    ['', ''],
    [-0, '-0'],
    [0.1, '0.1'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [9223372036854775807n, '9223372036854775807'],
    [false, 'false'],
    [new Date(Date.UTC(2020, 1, 29)), '2020-02-29T00:00:00.000Z'],
    [new Uint8Array([0, 10, 255]), '\\x000aff'],
    [[1, null, 'a'], '[1,null,"a"]'],
    [
      { big: 9007199254740993n, bytes: new Uint8Array([1]), no: Number.NaN },
      '{"big":"9007199254740993","bytes":"\\\\x01","no":"NaN"}',
    ],
  ])('%s is %s', (value, text) => {
    expect(formatValue(value)).toBe(text);
  });

  test('is whole for export and cut for a cell when it has many bytes', () => {
    const bytes = new Uint8Array(65).fill(171);
    expect(formatValue(bytes)).toBe(`\\x${'ab'.repeat(65)}`);
    expect(formatCell(bytes)).toBe(`\\x${'ab'.repeat(64)}\u2026`);
    expect(formatCell(bytes.subarray(1))).toBe(`\\x${'ab'.repeat(64)}`);
  });

  test('is one line in a cell', () => {
    expect(formatCell('a\nb\r\nc\rd')).toBe('a\u23ceb\u23cec\u23ced');
  });
});
