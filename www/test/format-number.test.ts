import { expect, test } from 'vitest';
import { formatCount, formatMs, plural } from '../src/ui/format-number';

test('counts have their thousands apart', () => {
  expect([0, 999, 1000, 1_234_567].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567']);
});

test('only one is singular', () => {
  expect([0, 1, 2, 2000].map((n) => plural(n, 'row'))).toEqual(['0 rows', '1 row', '2 rows', '2,000 rows']);
});

test('durations have as many digits as are worth reading', () => {
  expect([0, 0.04, 9.94, 9.95, 1234.5, 9949, 9950, 61_000].map(formatMs)).toEqual([
    '0.0 ms',
    '0.0 ms',
    '9.9 ms',
    '10 ms',
    '1,235 ms',
    '9,949 ms',
    '9.9 s',
    '61.0 s',
  ]);
});
