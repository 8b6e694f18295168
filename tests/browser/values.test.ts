import type { Param } from 'kalamdb';
import { describe, expect, test } from 'vitest';
import { column, TRANSPORTS, useDatabase } from './support.js';

/** Values of one SQL type: what goes in, and what comes out where that differs. */
interface Case {
  type: string;
  values: Param[];
  out?: unknown[];
}

const YEAR_1 = new Date('0001-01-01T00:00:00.000Z');
const YEAR_9999 = new Date('9999-12-31T23:59:59.999Z');
const LONG = 'long text \u00e9\u20ac\u{1f600} '.repeat(10_000);

const CASES: Case[] = [
  { type: 'BOOLEAN', values: [true, false, null, undefined], out: [true, false, null, null] },
  { type: 'TINYINT', values: [-128, 127] },
  { type: 'SMALLINT', values: [-32768, 32767] },
  { type: 'INTEGER', values: [-(2 ** 31), 2 ** 31 - 1, 0, null] },
  {
    type: 'BIGINT',
    values: [
      2 ** 53 - 1,
      -(2 ** 53 - 1),
      2n ** 53n,
      2n ** 53n + 1n,
      -(2n ** 53n) - 1n,
      2n ** 63n - 1n,
      -(2n ** 63n),
      null,
    ],
  },
  { type: 'BIGINT', values: [5n, -7n, 2n ** 31n], out: [5, -7, 2 ** 31] },
  { type: 'BIGINT UNSIGNED', values: [0, 2n ** 64n - 1n, 2n ** 63n] },
  {
    type: 'REAL',
    values: [1.5, -0, Number.NaN, Number.POSITIVE_INFINITY, 0.1],
    out: [1.5, -0, Number.NaN, Number.POSITIVE_INFINITY, Math.fround(0.1)],
  },
  {
    type: 'DOUBLE',
    values: [
      0,
      -0,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      5e-324,
      Number.MAX_VALUE,
      0.1,
      2 ** 53 + 2,
      null,
    ],
  },
  { type: 'DECIMAL(38,10)', values: ['1234567890123456789012345678.0123456789', '-0.0000000001', null] },
  { type: 'DECIMAL(10,2)', values: [1.5, 7, -3n], out: ['1.50', '7.00', '-3.00'] },
  {
    type: 'TEXT',
    values: ['', 'a', "it's", '\u{1f600}\u{1f468}\u200d\u{1f469}', 'a\0b', '\ufeffmark', 'two\nlines', LONG, null],
  },
  { type: 'VARCHAR(3)', values: ['', 'abc', '\u{1f600}\u{1f600}\u{1f600}'] },
  {
    type: 'BYTEA',
    values: [
      new Uint8Array(0),
      new Uint8Array([0, 255, 10]),
      new Uint8Array([1, 2, 3]).buffer,
      new Uint16Array([1]),
      null,
    ],
    out: [new Uint8Array(0), new Uint8Array([0, 255, 10]), new Uint8Array([1, 2, 3]), new Uint8Array([1, 0]), null],
  },
  { type: 'DATE', values: ['0001-01-01', '9999-12-31', '1970-01-01', null] },
  { type: 'TIME', values: ['00:00:00', '23:59:59.999999', null] },
  { type: 'TIMESTAMP', values: [new Date(0), new Date(-1), YEAR_1, YEAR_9999, null] },
  { type: 'TIMESTAMPTZ', values: [new Date(0), new Date(-1), YEAR_1, YEAR_9999, null] },
  {
    type: 'UUID',
    values: ['00000000-0000-0000-0000-000000000000', 'F47AC10B-58CC-4372-A567-0E02B2C3D479'],
    out: ['00000000-0000-0000-0000-000000000000', 'f47ac10b-58cc-4372-a567-0e02b2c3d479'],
  },
  {
    type: 'JSON',
    values: [{ a: [null, { b: null, c: [] }], t: '\u{1f600}"\\' }, [], {}, [1, -0.5, true], null],
  },
  { type: 'INTERVAL', values: ['1 year 2 mons -3 days +04:05:06.7', '00:00:00', null] },
  {
    type: 'INTEGER[]',
    values: [[1, null, -(2 ** 31)], [], null, '{2,NULL}'],
    out: [[1, null, -(2 ** 31)], [], null, [2, null]],
  },
  {
    type: 'BIGINT[]',
    values: [[2n ** 63n - 1n, 1n, 2 ** 53 - 1], [null]],
    out: [[2n ** 63n - 1n, 1, 2 ** 53 - 1], [null]],
  },
  { type: 'DOUBLE[]', values: [[0.1, -0, Number.NaN, Number.NEGATIVE_INFINITY, 1e21, null]] },
  { type: 'TEXT[][]', values: [[['a', '', 'NULL', null, '\u{1f600}"\\'], [], null], []] },
  { type: 'BYTEA[]', values: [[new Uint8Array([0, 255]), new Uint8Array(0), null]] },
  { type: 'TIMESTAMPTZ[]', values: [[new Date(0), YEAR_9999, null]] },
  { type: 'JSON[]', values: [[{ a: [1] }, 'text', 2, [], null]] },
  {
    type: 'EMBEDDING(3)',
    values: [[1, -0.5, 0], new Float32Array([0.1, -0, 1]), new Float64Array([1, 2, 3]), '[4,5,6]', null],
    out: [[1, -0.5, 0], [Math.fround(0.1), -0, 1], [1, 2, 3], [4, 5, 6], null],
  },
];

describe.each(TRANSPORTS)('values, engine in the %s', (_, options) => {
  const database = useDatabase(options);

  describe.each(CASES.map((example, i) => ({ ...example, i })))('$type (case $i)', ({ type, values, out, i }) => {
    const table = `values_${i}`;

    test('inserted as rows come back', async () => {
      const db = database();
      await db.exec(`CREATE TABLE ${table} (k INTEGER PRIMARY KEY, v ${type})`);
      const written = await db.insert(
        table,
        values.map((v, k) => ({ k, v })),
      );
      expect(written).toEqual({ affectedRows: values.length, seq: expect.any(Number) });
      expect(await column(db, `SELECT v FROM ${table} ORDER BY k`)).toEqual(out ?? values);
    });

    test('bound as parameters come back', async () => {
      const db = database();
      await db.exec(`DELETE FROM ${table}`);
      for (const [k, v] of values.entries()) {
        const { affectedRows, command } = await db.query(`INSERT INTO ${table} (k, v) VALUES ($1, $2)`, [k, v]);
        expect({ affectedRows, command }).toEqual({ affectedRows: 1, command: 'INSERT' });
      }
      expect(await column(db, `SELECT v FROM ${table} ORDER BY k`)).toEqual(out ?? values);
    });
  });

  test('rows as arrays, with defaults for the columns that are not named', async () => {
    const db = database();
    await db.exec(`CREATE TABLE defaults (k INTEGER PRIMARY KEY, a TEXT DEFAULT 'none', b TEXT)`);
    await db.insert('defaults', {
      columns: ['b', 'k'],
      rows: [
        ['x', 1],
        [undefined, 2],
      ],
    });
    expect((await db.query('SELECT k, a, b FROM defaults ORDER BY k', [], { rowMode: 'array' })).rows).toEqual([
      [1, 'none', 'x'],
      [2, 'none', null],
    ]);
  });

  test('a date of another window', async () => {
    const frame = document.body.appendChild(document.createElement('iframe'));
    try {
      const { Date: ForeignDate } = frame.contentWindow as unknown as { Date: DateConstructor };
      const { rows } = await database().query('SELECT CAST($1 AS TIMESTAMP) AS t', [new ForeignDate(5)]);
      expect(rows).toEqual([{ t: new Date(5) }]);
    } finally {
      frame.remove();
    }
  });

  test('names need quotes where SQL wants them', async () => {
    const db = database();
    await db.exec('CREATE TABLE "My ""own"" table" ("Key" INTEGER PRIMARY KEY, "select" TEXT)');
    await db.insert('"My ""own"" table"', [{ Key: 1, select: 'x' }]);
    expect((await db.query('SELECT * FROM "My ""own"" table"')).rows).toEqual([{ Key: 1, select: 'x' }]);
  });
});
