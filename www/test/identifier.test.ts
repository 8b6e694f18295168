import { describe, expect, test } from 'vitest';
import { fullTableName, identifier, tableName } from '../src/tables/identifier';

describe('a name', () => {
  test('is left alone when it needs no quotes', () => {
    for (const name of ['pets', '_a1', 'created_at', 'interval_seconds']) expect(identifier(name)).toBe(name);
  });

  test.each([
    ['Pets', '"Pets"'],
    ['two words', '"two words"'],
    ['1st', '"1st"'],
    ['', '""'],
    ['a"b', '"a""b"'],
    ['caf\u00e9', '"caf\u00e9"'],
    ['select', '"select"'],
    ['user', '"user"'],
    ['semi;colon', '"semi;colon"'],
  ])('%s is quoted', (name, quoted) => {
    expect(identifier(name)).toBe(quoted);
  });
});

test('a table to read has its namespace unless that is the first one', () => {
  expect(tableName('default', 'pets')).toBe('pets');
  expect(tableName('default', 'Order')).toBe('"Order"');
  expect(tableName('app', 'pets')).toBe('app.pets');
  expect(tableName('My App', 'the "table"')).toBe('"My App"."the ""table"""');
});

test('a table for the engine has all in quotes', () => {
  expect(fullTableName('default', 'pets')).toBe('"default"."pets"');
  expect(fullTableName('a"b', 'c.d')).toBe('"a""b"."c.d"');
});
