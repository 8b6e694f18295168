import { type ErrorCode, KalamDB, KalamDBError } from 'kalamdb';
import { beforeAll, describe, expect, test } from 'vitest';
import { failureOf, TRANSPORTS, useDatabase } from './support.js';

/** A call that must fail, and what it must fail with. */
type Case = [
  what: string,
  call: (db: KalamDB) => Promise<unknown>,
  expected: { code: ErrorCode } & Partial<KalamDBError>,
];

const MEGABYTE = 2 ** 20;

const CASES: Case[] = [
  ['an unknown table', (db) => db.query('SELECT * FROM nosuch'), { code: 'undefined_table', sqlState: '42P01' }],
  ['an insert into an unknown table', (db) => db.insert('nosuch', [{ id: 1 }]), { code: 'undefined_table' }],
  ['an unknown column', (db) => db.query('SELECT nosuch FROM t'), { code: 'undefined_column', sqlState: '42703' }],
  ['an insert of an unknown column', (db) => db.insert('t', [{ id: 9, nosuch: 1 }]), { code: 'undefined_column' }],
  ['a syntax error', (db) => db.query('SELECT 1 +\n  )'), { code: 'syntax_error', position: 13, line: 2, column: 3 }],
  [
    'a syntax error behind an emoji',
    (db) => db.query("SELECT '\u{1f600}' + )"),
    { code: 'syntax_error', position: 14, line: 1 },
  ],
  [
    'text that is no number',
    (db) => db.query("INSERT INTO t VALUES (9, 'x', 'many')"),
    { code: 'invalid_text_representation' },
  ],
  [
    'a row with text that is no number',
    (db) => db.insert('t', [{ id: 9, name: 'x', n: 'many' }]),
    { code: 'invalid_text_representation' },
  ],
  [
    'a row with a value of the wrong type',
    (db) => db.insert('t', [{ id: 9, name: 'x', n: true }]),
    { code: 'datatype_mismatch' },
  ],
  [
    'a number that is too large',
    (db) => db.insert('t', [{ id: 2 ** 40, name: 'x', n: 1 }]),
    { code: 'numeric_value_out_of_range' },
  ],
  [
    'NULL in a NOT NULL column',
    (db) => db.query('INSERT INTO t VALUES (9, NULL, 1)'),
    { code: 'not_null_violation', sqlState: '23502' },
  ],
  [
    'rows with NULL in a NOT NULL column',
    (db) =>
      db.insert('t', [
        { id: 8, name: 'x' },
        { id: 9, name: null },
      ]),
    { code: 'not_null_violation' },
  ],
  [
    'a key that is there',
    (db) => db.query("INSERT INTO t VALUES (9, 'x', 1), (1, 'x', 1)"),
    { code: 'unique_violation', sqlState: '23505' },
  ],
  [
    'rows with one key twice',
    (db) =>
      db.insert('t', [
        { id: 9, name: 'x' },
        { id: 9, name: 'y' },
      ]),
    { code: 'unique_violation' },
  ],
  ['a table that is there', (db) => db.query('CREATE TABLE t (id INT PRIMARY KEY)'), { code: 'duplicate_table' }],
  ['two statements in query', (db) => db.query("INSERT INTO t VALUES (9, 'x', 1); SELECT 1"), { code: 'syntax_error' }],
  ['no statement in query', (db) => db.query(' -- nothing'), { code: 'syntax_error' }],
  ['a parameter without a value', (db) => db.query('SELECT $1, $2', [1]), { code: 'undefined_parameter' }],
  [
    'five thousand nested parentheses',
    (db) => db.query(`SELECT ${'('.repeat(5000)}1${')'.repeat(5000)}`),
    { code: 'statement_too_complex' },
  ],
  [
    'a statement of ten megabytes',
    (db) => db.query(`SELECT '${'x'.repeat(10 * MEGABYTE)}'`),
    { code: 'program_limit_exceeded' },
  ],
  [
    'a point in time for a DATE',
    (db) => db.query('INSERT INTO days VALUES ($1)', [new Date(0)]),
    { code: 'datatype_mismatch' },
  ],
  [
    'a lone surrogate in the text',
    (db) => db.query("SELECT '\ud83d'"),
    { code: 'character_not_in_repertoire', sqlState: '22021', position: 8 },
  ],
  [
    'a lone surrogate in a parameter',
    (db) => db.query('SELECT $1', ['\ude00']),
    { code: 'character_not_in_repertoire' },
  ],
  [
    'a lone surrogate in a row',
    (db) => db.insert('t', [{ id: 9, name: 'a\ud83d' }]),
    { code: 'character_not_in_repertoire' },
  ],
  [
    'a lone surrogate in the name of a table',
    (db) => db.insert('\ud83d', [{ id: 9 }]),
    { code: 'character_not_in_repertoire' },
  ],
  ['an invalid date', (db) => db.query('SELECT $1', [new Date(Number.NaN)]), { code: 'invalid_datetime_format' }],
  [
    'rows with different keys',
    (db) => db.insert('t', [{ id: 9, name: 'x' }, { id: 8 }]),
    { code: 'invalid_parameter_value' },
  ],
  [
    'something that is not offered',
    (db) => db.query('CREATE TABLE f (id INT REFERENCES t (id))'),
    { code: 'feature_not_supported' },
  ],
];

describe.each(TRANSPORTS)('errors, engine in the %s', (_, options) => {
  const database = useDatabase(options);

  beforeAll(async () => {
    await database().exec(
      "CREATE TABLE t (id INT PRIMARY KEY, name TEXT NOT NULL, n INT); INSERT INTO t VALUES (1, 'one', 1); CREATE TABLE days (day DATE PRIMARY KEY)",
    );
  });

  test.each(CASES)('%s', async (_what, call, expected) => {
    const error = await failureOf(call(database()));
    expect(error).toBeInstanceOf(KalamDBError);
    expect(error).toMatchObject({ name: 'KalamDBError', retryable: false, ...expected });
    expect(error.message).not.toBe('');
    expect((await database().query('SELECT * FROM t')).rows).toEqual([{ id: 1, name: 'one', n: 1 }]);
  });

  test('a statement of three megabytes is carried out', async () => {
    const text = `SELECT length('${'x'.repeat(3 * MEGABYTE)}') AS length`;
    expect((await database().query(text)).rows).toEqual([{ length: 3 * MEGABYTE }]);
  });

  test('a parameter of ten megabytes is carried out', async () => {
    const value = '\u20ac'.repeat(10 * MEGABYTE);
    const { rows } = await database().query<{ value: string }>('SELECT CAST($1 AS TEXT) AS value', [value]);
    expect(rows[0]?.value === value).toBe(true);
  });

  test('statements before the one that fails stay done', async () => {
    const error = await failureOf(
      database().exec('CREATE TABLE kept (id INT PRIMARY KEY); SELECT * FROM nosuch; CREATE TABLE never (id INT)'),
    );
    expect(error).toMatchObject({ code: 'undefined_table' });
    expect((await database().query('SELECT * FROM kept')).rows).toEqual([]);
    expect(await failureOf(database().query('SELECT * FROM never'))).toMatchObject({ code: 'undefined_table' });
  });

  test('a wrong shape of arguments is a TypeError', async () => {
    await expect(database().query(1 as never)).rejects.toBeInstanceOf(TypeError);
    await expect(database().query('SELECT $1', 'x' as never)).rejects.toBeInstanceOf(TypeError);
    await expect(database().insert('t', [1] as never)).rejects.toBeInstanceOf(TypeError);
  });

  test('the name of a database may not be empty', async () => {
    expect(await failureOf(KalamDB.open('', options))).toMatchObject({ code: 'invalid_name' });
  });
});
