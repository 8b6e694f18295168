// The types: their names in either engine, and values that are worth trying.

/** A text as a literal. */
export const quoted = (value) => `'${value.replaceAll("'", "''")}'`;
const cast = (type) => (value) => `CAST(${quoted(value)} AS ${type})`;

/**
 * A type: its name here and there; `small` values, of which many meet; `edges`; how a value is written; `by`, the kind of parameter
 * that carries it.
 */
function define(name, { ours, peer = ours, small, edges = [], write = cast(ours), by = 'text', ...more }) {
  return { name, ours, peer, small, edges, write, by, isOrdered: true, isNumber: false, ...more };
}

const number = { isNumber: true };

const all = [
  define('bool', { ours: 'BOOLEAN', small: ['true', 'false'], write: (value) => value.toUpperCase(), by: 'bool' }),
  define('int2', {
    ...number,
    ours: 'SMALLINT',
    small: ['0', '1', '2', '3', '-1', '7'],
    edges: ['-32768', '32767'],
    by: 'int',
  }),
  define('int4', {
    ...number,
    ours: 'INTEGER',
    small: ['0', '1', '2', '3', '4', '5', '-1', '-3', '10'],
    edges: ['-2147483648', '2147483647', '65536'],
    by: 'int',
  }),
  define('int8', {
    ...number,
    ours: 'BIGINT',
    small: ['0', '1', '2', '3', '5', '-2', '100'],
    edges: ['-9223372036854775808', '9223372036854775807', '9007199254740993', '4294967296'],
    by: 'int',
  }),
  define('float4', {
    ...number,
    ours: 'REAL',
    small: ['0', '1', '1.5', '-2.25', '3', '0.5'],
    edges: ['NaN', '-0', 'Infinity', '-Infinity', '3.4028235e38', '1e-38'],
  }),
  define('float8', {
    ...number,
    ours: 'DOUBLE PRECISION',
    small: ['0', '1', '2.5', '-1.5', '3', '0.25', '7.75'],
    edges: ['NaN', '-0', 'Infinity', '-Infinity', '1.7976931348623157e308', '4.9e-324', '9007199254740993'],
    by: 'float',
  }),
  define('numeric', {
    ...number,
    ours: 'DECIMAL(12,2)',
    small: ['0', '1.00', '2.50', '-1.25', '3.75', '8743.46', '0.01', '12.30'],
    edges: ['9999999999.99', '-9999999999.99', '0.05', '100000.10'],
  }),
  define('text', {
    ours: 'TEXT',
    small: ['a', 'b', 'ab', 'abc', '', 'B', 'foo', 'a b'],
    edges: ['\u00e4', '\u{1F600}', "it's", 'a%b', 'a_b', '\\', 'a.b', ' x ', 'a\nb', '100%', '1', '-2'],
    write: quoted,
  }),
  define('bytea', { ours: 'BYTEA', small: ['\\x', '\\x00', '\\x61', '\\x6162', '\\xff'], edges: ['\\x00ff7f80'] }),
  define('date', {
    ours: 'DATE',
    small: ['2024-01-31', '2024-02-29', '2023-12-31', '2024-01-01', '1999-06-15'],
    edges: ['1970-01-01', '1969-12-31', '0001-01-01', '9999-12-31', '1600-02-29'],
  }),
  define('time', {
    ours: 'TIME',
    small: ['00:00:00', '12:00:00', '10:30:15', '23:59:59'],
    edges: ['23:59:59.999999', '00:00:00.000001'],
  }),
  define('timestamp', {
    ours: 'TIMESTAMP',
    small: ['2024-01-31 10:00:00', '2024-02-29 00:00:00', '2023-12-31 23:59:59.5', '2024-01-01 12:34:56'],
    edges: [
      '1970-01-01 00:00:00',
      '1969-12-31 23:59:59.999999',
      '0001-01-01 00:00:00',
      '9999-12-31 23:59:59.999999',
      '1500-03-04 05:06:07',
    ],
  }),
  define('timestamptz', {
    ours: 'TIMESTAMPTZ',
    small: ['2024-01-31 10:00:00+00', '2024-02-29 00:00:00+02', '2023-12-31 23:59:59.5-05', '2024-07-01 12:00:00+00'],
    edges: ['1970-01-01 00:00:00+00', '9999-12-31 23:59:59.999999+00', '1500-03-04 05:06:07+00'],
  }),
  define('interval', {
    ours: 'INTERVAL',
    small: ['1 day', '24 hours', '1 month', '30 days', '00:00:00', '-1 day', '1 day 05:30:00', '90 minutes'],
    edges: ['1 year 2 mons 3 days 04:05:06.7', '-2 mons 1 day', '-00:00:00.000001'],
  }),
  define('uuid', {
    ours: 'UUID',
    small: ['00000000-0000-0000-0000-000000000000', '0190c3f4-0000-7000-8000-000000000001'],
    edges: ['ffffffff-ffff-ffff-ffff-ffffffffffff'],
  }),
  define('json', {
    ours: 'JSONB',
    small: [
      '{"a": 1}',
      '{"a": "x", "b": [1, 2]}',
      '[1, 2, 3]',
      '"s"',
      '5',
      'null',
      '{}',
      '[]',
      '{"a": {"b": true}}',
      'true',
    ],
    edges: ['{"a": null}', '["a", "b", null]', '1.5', '{"": 0}', '[[1], [2]]', '9007199254740993'],
    isOrdered: false,
    by: 'json',
  }),
  define('int4[]', {
    ours: 'INTEGER[]',
    small: ['{}', '{1}', '{1,2}', '{2,1}', '{1,NULL}', '{3,3,3}'],
    edges: ['{NULL}', '{2147483647,-2147483648}'],
  }),
  define('text[]', {
    ours: 'TEXT[]',
    small: ['{}', '{a}', '{a,b}', '{b,NULL}', '{"",a}'],
    edges: ['{NULL}', '{"a,b","{}"}'],
  }),
];

/** The types by name. */
export const TYPES = Object.fromEntries(all.map((type) => [type.name, type]));
export const ALL = Object.keys(TYPES);
export const ORDERED = ALL.filter((name) => TYPES[name].isOrdered);
export const NUMBERS = ALL.filter((name) => TYPES[name].isNumber);
export const INTEGERS = ['int2', 'int4', 'int8'];
export const ARRAYS = ['int4[]', 'text[]'];
