import { expect, test } from 'vitest';
import { sql } from '../api/index.js';

test('values become parameters', () => {
  const statement = sql`SELECT * FROM t WHERE a = ${1} AND b = ${'x; DROP TABLE t'}`;
  expect(statement.text).toBe('SELECT * FROM t WHERE a = $1 AND b = $2');
  expect(statement.params).toEqual([1, 'x; DROP TABLE t']);
});

test('without values the text is the text', () => {
  expect(sql`SELECT '$1'`).toMatchObject({ text: "SELECT '$1'", params: [] });
});

test('statements are put together, numbers are counted on', () => {
  const inner = sql`b = ${2} OR c = ${3}`;
  const outer = sql`a = ${1} AND (${inner}) AND d = ${4} AND ${sql`e`}`;
  expect(outer.text).toBe('a = $1 AND (b = $2 OR c = $3) AND d = $4 AND e');
  expect(outer.params).toEqual([1, 2, 3, 4]);
});

test('a literal that looks like a number stays', () => {
  expect(sql`${sql`'$1' || ${'a'}`} || ${'b'}`.text).toBe("'$1' || $1 || $2");
});
