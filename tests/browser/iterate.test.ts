import { beforeAll, describe, expect, test } from 'vitest';
import { TRANSPORTS, useDatabase } from './support.js';

const N_ROWS = 50_000;

describe.each(TRANSPORTS)('rows one by one, engine in the %s', (_, options) => {
  const database = useDatabase(options);

  beforeAll(async () => {
    await database().exec('CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)');
    await database().exec(`INSERT INTO t SELECT value, value % 100 FROM generate_series(1, ${N_ROWS})`);
  });

  test('are those of one moment, whatever is written meanwhile', async () => {
    const db = database();
    let n = 0;
    for await (const { id } of db.prepare<{ id: number }>('SELECT id FROM t WHERE id <= $1').iterate([N_ROWS])) {
      if (n === 0) await db.query('INSERT INTO t VALUES ($1, 0)', [0]);
      n += 1;
      expect(id).toBe(n);
    }
    expect(n).toBe(N_ROWS);
    expect(await db.queryOne('SELECT id FROM t ORDER BY id')).toEqual({ id: 0 });
    await db.query('DELETE FROM t WHERE id = 0');
  });

  test('reject where the query fails', async () => {
    const rows = database()
      .prepare(`SELECT 1 / (id - ${N_ROWS - 1}) AS x FROM t`)
      .iterate();
    let n = 0;
    const all = async (): Promise<void> => {
      for await (const _row of rows) n += 1;
    };
    await expect(all()).rejects.toMatchObject({ code: 'division_by_zero' });
    expect(n).toBeGreaterThan(0);
    expect(n).toBeLessThan(N_ROWS);
    expect(await database().queryOne('SELECT count(*) AS n FROM t')).toEqual({ n: N_ROWS });
  });

  test('of a change are those that it returns', async () => {
    const change = database().prepare('UPDATE t SET v = v + 100 WHERE id <= 3 RETURNING id');
    const ids: unknown[] = [];
    for await (const row of change.iterate()) ids.push(row);
    expect(ids).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
    expect(await database().queryOne('UPDATE t SET v = v - 100 WHERE v >= 100 RETURNING id')).toEqual({ id: 1 });
    expect(await database().queryOne('SELECT count(*) AS n FROM t WHERE v >= 100')).toEqual({ n: 0 });
  });

  test('a short call is answered before a long one that was sent first', async () => {
    const db = database();
    const ended: string[] = [];
    const long = db.query('SELECT count(*) AS n FROM t a JOIN t b ON a.v = b.v').then(() => ended.push('long'));
    const short = db.query('SELECT v FROM t WHERE id = 5').then(() => ended.push('short'));
    await Promise.all([long, short]);
    expect(ended).toEqual(['short', 'long']);
  });
});
