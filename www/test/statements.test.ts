import { describe, expect, test } from 'vitest';
import { splitStatements } from '../src/console/statements';

const texts = (script: string): string[] => splitStatements(script).map(({ text }) => text);

describe('a script is split', () => {
  test('at its semicolons, each statement with its place', () => {
    const script = 'SELECT 1;\n  SELECT 2 ;\nSELECT 3';
    const statements = splitStatements(script);
    expect(statements.map(({ text }) => text)).toEqual(['SELECT 1;', 'SELECT 2 ;', 'SELECT 3']);
    for (const { text, offset } of statements) expect(script.slice(offset, offset + text.length)).toBe(text);
  });

  test('not in texts, names, comments and dollar quotes', () => {
    const statements = [
      `INSERT INTO t VALUES ('a;b', 'it''s;');`,
      'SELECT "x;y" FROM t;',
      'SELECT 1 -- one; two\n + 2;',
      'SELECT /* ; */ 3;',
      'SELECT $$a;b$$;',
    ];
    expect(texts(statements.join('\n'))).toEqual(statements);
  });

  test('into nothing when it says nothing', () => {
    for (const script of ['', '  \n', ';', ';;', '-- a comment', '/* another; */\n-- one', '\u00a0']) {
      expect(texts(script)).toEqual([]);
    }
  });

  test('with what is no SQL left to the engine', () => {
    expect(texts('SELEKT 1; )')).toEqual(['SELEKT 1;', ')']);
    expect(texts("SELECT 'open; SELECT 2")).toEqual(["SELECT 'open; SELECT 2"]);
  });
});
