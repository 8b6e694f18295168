import { KalamDB, type QueryOptions, sql } from 'kalamdb';
import { beforeAll, describe, expect, test } from 'vitest';
import { TRANSPORTS, useDatabase, withName } from './support.js';

const BIG = 2n ** 53n + 1n;

describe.each(TRANSPORTS)('results, engine in the %s', (_, options) => {
  const database = useDatabase(options);

  beforeAll(async () => {
    const db = database();
    await db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, big BIGINT, at TIMESTAMP, tz TIMESTAMPTZ)');
    const insert = `INSERT INTO t VALUES ($1, $2, CAST($3 AS TIMESTAMP), CAST($3 AS TIMESTAMP))`;
    await db.query(insert, [1, 7, '2001-02-03 04:05:06.789123']);
    await db.query(insert, [2, BIG, '1969-12-31 23:59:59.999999']);
  });

  test('rows are objects in column order, with fields and counts', async () => {
    const result = await database().query('SELECT id, big FROM t ORDER BY id');
    expect(result).toEqual({
      rows: [
        { id: 1, big: 7 },
        { id: 2, big: BIG },
      ],
      fields: [
        { name: 'id', type: 'INTEGER' },
        { name: 'big', type: 'BIGINT' },
      ],
      rowCount: 2,
      command: 'SELECT',
      tookMs: expect.any(Number),
    });
  });

  test('without rows there are fields', async () => {
    const result = await database().query('SELECT id FROM t WHERE id > 100');
    expect(result).toMatchObject({ rows: [], fields: [{ name: 'id', type: 'INTEGER' }], rowCount: 0 });
  });

  test('rows are arrays when asked for, with columns of one name', async () => {
    const { rows } = await database().query('SELECT a.id, b.id FROM t a JOIN t b ON a.id = b.id ORDER BY a.id', [], {
      rowMode: 'array',
    });
    expect(rows).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  const modes: [QueryOptions, unknown[]][] = [
    [{ int64: 'auto' }, [7, BIG]],
    [{ int64: 'bigint' }, [7n, BIG]],
    [{ int64: 'number' }, [7, 2 ** 53]],
    [{ int64: 'string' }, ['7', BIG.toString()]],
  ];
  test.each(modes)('64-bit integers with %o', async (mode, expected) => {
    const { rows } = await database().query<{ big: unknown }>('SELECT big FROM t ORDER BY id', [], mode);
    expect(rows.map((row) => row.big)).toEqual(expected);
  });

  const instants: [QueryOptions, unknown[]][] = [
    [{ timestamps: 'date' }, [new Date('2001-02-03T04:05:06.789Z'), new Date(-1)]],
    [{ timestamps: 'iso' }, ['2001-02-03T04:05:06.789123', '1969-12-31T23:59:59.999999']],
    [{ timestamps: 'epochMs' }, [981_173_106_789.123, -0.001]],
  ];
  test.each(instants)('timestamps with %o', async (mode, expected) => {
    const { rows } = await database().query<{ at: unknown; tz: unknown }>('SELECT at, tz FROM t ORDER BY id', [], mode);
    expect(rows.map((row) => row.at)).toEqual(expected);
    const zoned = expected.map((value) => (typeof value === 'string' ? `${value}Z` : value));
    expect(rows.map((row) => row.tz)).toEqual(zoned);
  });

  test('lists and structs are arrays and objects', async () => {
    const { rows } = await database().query(`SELECT [1, 2, NULL] AS list, {'a': 'x', 'b': [true]} AS struct`);
    expect(rows).toEqual([{ list: [1, 2, null], struct: { a: 'x', b: [true] } }]);
  });

  test('exec gives a result for each statement', async () => {
    const results = await database().exec(`SELECT 1 AS a; CREATE TABLE made (id INT PRIMARY KEY);
      INSERT INTO made VALUES (1), (2); SELECT id FROM made ORDER BY id`);
    expect(results.map((result) => result.rows)).toEqual([[{ a: 1 }], [], [], [{ id: 1 }, { id: 2 }]]);
    expect(results[2]).toMatchObject({ affectedRows: 2, command: 'INSERT', seq: expect.any(Number) });
  });

  test('queryOne gives the first row or null', async () => {
    expect(await database().queryOne('SELECT id FROM t ORDER BY id')).toEqual({ id: 1 });
    expect(await database().queryOne('SELECT id FROM t WHERE id = $1', [99])).toBeNull();
  });

  test('the tag binds its values', async () => {
    const name = `'; DROP TABLE t; --`;
    expect(await database().queryOne(sql`SELECT ${name} AS name, id FROM t WHERE id = ${2}`)).toEqual({ name, id: 2 });
  });

  test('the options of open are the defaults of calls', async () => {
    await withName(options, async (name) => {
      const db = await KalamDB.open(name, { ...options, rowMode: 'array', int64: 'bigint', systemColumns: 'star' });
      await db.exec('CREATE TABLE s (id BIGINT PRIMARY KEY); INSERT INTO s VALUES (5)');
      const { rows, fields } = await db.query<unknown[]>('SELECT * FROM s');
      expect(rows[0]?.[0]).toBe(5n);
      expect(fields.map((field) => field.name)).toEqual(['id', '_seq', '_updated', '_deleted']);
      expect(await db.queryOne('SELECT id FROM s', [], { rowMode: 'object', int64: 'auto' })).toEqual({ id: 5 });
      await db.close();
    });
  });
});
