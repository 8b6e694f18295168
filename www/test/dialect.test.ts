import { describe, expect, test } from 'vitest';
import { kalamDialect } from '../src/console/dialect';

/** The words of a text with the kind that the editor takes them for. */
function kinds(text: string): [string, string][] {
  const found: [string, string][] = [];
  kalamDialect.language.parser.parse(text).iterate({
    enter: ({ node, name, from, to }) => {
      if (node.firstChild === null) found.push([text.slice(from, to), name]);
    },
  });
  return found;
}

const kind = (word: string): string | undefined => kinds(word)[0]?.[1];

describe('a word is', () => {
  test('a keyword, a type or a function when the engine knows it', () => {
    for (const word of ['select', 'SELECT', 'namespace', 'stream'])
      expect([word, kind(word)]).toEqual([word, 'Keyword']);
    for (const word of ['bigint', 'EMBEDDING', 'jsonb']) expect([word, kind(word)]).toEqual([word, 'Type']);
    for (const word of ['count', 'snowflake_id']) expect([word, kind(word)]).toEqual([word, 'Builtin']);
  });

  test('a name when people call columns so', () => {
    for (const word of ['id', 'hour', 'name', 'title', 'status'])
      expect([word, kind(word)]).toEqual([word, 'Identifier']);
  });
});

test('texts, names and comments follow PostgreSQL', () => {
  expect(kinds(`'a;b' "a b" $$x;y$$ 1.5 -- rest`)).toEqual([
    [`'a;b'`, 'String'],
    ['"a b"', 'QuotedIdentifier'],
    ['$$x;y$$', 'String'],
    ['1.5', 'Number'],
    ['-- rest', 'LineComment'],
  ]);
});
