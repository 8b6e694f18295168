// The small constants of templates, by their words.

import { dialect, expression, list, literal, sql } from './nodes.mjs';
import { TYPES } from './types.mjs';

/** A value of a type, which a parameter may carry. */
export function value(typeName, text) {
  const type = TYPES[typeName];
  const cast = (inner) => (type.ours === type.peer ? `CAST(${inner} AS ${type.ours})` : inner);
  const isPlain = type.by === 'int' && /^\d{1,4}$/.test(text) && typeName === 'int4';
  const written = isPlain ? text : type.by === 'int' ? `CAST(${text} AS ${type.ours})` : type.write(text);
  return literal(typeName, written, { text: cast('?'), value: { by: type.by, text } });
}

const words = {
  small: ['0', '1', '2', '3', '4'],
  position: ['1', '2', '3', '5'],
  month: ['1', '2', '6', '12'],
  integer: ['-3', '-1', '0', '1', '2', '4'],
  pattern: ["'a%'", "'%b'", "'_'", "'%'", "''", "'a_c'", "'%b%'", "'A%'", "'100\\%'", "'%\\_%'", "'ab'"],
  escaped: ["'a!%b'", "'a!_b'", "'%!!%'", "'a%'"],
  regex: [
    "'a'",
    "'^a'",
    "'b$'",
    "'a.b'",
    "'.*'",
    "'[a-c]+'",
    "'(a)(b)'",
    "'^$'",
    "'o{2}'",
    "'a|b'",
    "'\\d'",
    "'A'",
    "'(?:f)o'",
  ],
  similar: ["'a%'", "'(a|b)%'", "'_'", "'ab'", "'[abc]+'", "'%o{2}'", "'f(o)*'", "'a'"],
  replacement: ["'x'", "'<\\&>'", "''", "'[\\1]'", "'$1'"],
  separator: ["','", "' '", "'b'", "'[ab]'"],
  letters: ["'a'", "'b'", "'ab'", "'o'", "' '", "','"],
  'letter-code': ['65', '97', '228', '8364'],
  unit: [
    "'year'",
    "'quarter'",
    "'month'",
    "'week'",
    "'day'",
    "'hour'",
    "'minute'",
    "'second'",
    "'decade'",
    "'century'",
    "'milliseconds'",
  ],
  key: ["'a'", "'b'", "'c'", "''"],
  keys: ["ARRAY['a','b']", "ARRAY['c']", "ARRAY['a']"],
  path: ["'{a}'", "'{a,b}'", "'{b,0}'", "'{1}'", "ARRAY['a','b']"],
  'text-number': ["'12'", "'-3'", "' 7 '", "'0'"],
  'text-date': ["'2024-02-29'", "'1999-12-31'"],
  'json-array': ['[]', '[1, 2]', '[[1], null]'].map((json) => `CAST('${json}' AS JSONB)`),
  'json-object': ['{}', '{"a": 1}', '{"a": 1, "b": 2}'].map((json) => `CAST('${json}' AS JSONB)`),
};

const vectors = ['[1,2,3]', '[0,1,0]', '[-1,0.5,2]', '[3,3,3]'];

/** A constant for a word, or null if there is none of it. */
export function constant(random, word) {
  if (word === 'vector') {
    const text = random.pick(vectors);
    return dialect(`CAST('${text}' AS EMBEDDING(3))`, `CAST('{${text.slice(1, -1)}}' AS DOUBLE PRECISION[])`);
  }
  const either = /^either:(.*):(.*)$/.exec(word);
  if (either) return dialect(either[1], either[2]);
  const of = /^type:(.*)$/.exec(word);
  if (of) return dialect(TYPES[of[1]].ours, TYPES[of[1]].peer);
  const given = /^(?:type-value:)?([a-z0-9]+):(.+)$/.exec(word);
  if (given && TYPES[given[1]] && !given[2].startsWith('=')) return value(given[1], given[2]);
  return words[word] ? sql`${random.pick(words[word])}` : null;
}

/** Columns or expressions, separated by commas. */
export const commas = (items, min = 1) => list(', ', items, min);

/** The plainest constants of a type: what the shrinker puts in the place of an expression. */
export function constantsOf(typeName) {
  const [first] = TYPES[typeName].small;
  return [expression(typeName, [value(typeName, first)]), expression(typeName, [nullOf(typeName)])];
}

/** NULL as a value of the type. */
export const nullOf = (typeName) =>
  literal(typeName, TYPES[typeName].ours === TYPES[typeName].peer ? `CAST(NULL AS ${TYPES[typeName].ours})` : 'NULL');
