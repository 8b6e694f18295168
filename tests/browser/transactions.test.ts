import { KalamDB, type Transaction } from 'kalamdb';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { column, failureOf, TRANSPORTS, useDatabase, withName } from './support.js';

const IDS = 'SELECT id FROM t ORDER BY id';

describe.each(TRANSPORTS)('a transaction, engine in the %s', (_, options) => {
  const database = useDatabase(options);

  beforeEach(async () => {
    await database().exec(`
      CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS u (id INTEGER PRIMARY KEY);
      DELETE FROM t; DELETE FROM u; INSERT INTO t VALUES (1, 10), (2, 20)`);
  });

  test('sees its own changes; others see them when it is committed', async () => {
    const db = database();
    const value = await db.transaction(async (tx) => {
      expect(await tx.query('INSERT INTO t VALUES (3, 30)')).toMatchObject({ affectedRows: 1 });
      expect(await tx.insert('t', [{ id: 4, n: 40 }])).toEqual({ affectedRows: 1, seq: null });
      expect(await tx.query('UPDATE t SET n = n + 1 WHERE id IN (1, 3)')).toMatchObject({ affectedRows: 2 });
      expect(await tx.query('DELETE FROM t WHERE id = 2')).not.toHaveProperty('seq');
      expect(await column(tx, 'SELECT n FROM t ORDER BY id')).toEqual([11, 31, 40]);
      expect(await column(db, 'SELECT n FROM t ORDER BY id')).toEqual([10, 20]);
      return 'done';
    });
    expect(value).toBe('done');
    expect(await column(db, 'SELECT n FROM t ORDER BY id')).toEqual([11, 31, 40]);
  });

  test('sees the database as it was when it began', async () => {
    const db = database();
    const seen = await db.transaction(async (tx) => {
      const before = await column(tx, IDS);
      await db.query('INSERT INTO t VALUES (3, 30)');
      const after = await column(tx, IDS);
      await tx.rollback();
      return [before, after];
    });
    expect(seen).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(await column(db, IDS)).toEqual([1, 2, 3]);
  });

  test('leaves nothing when the callback throws', async () => {
    const db = database();
    const mine = new Error('mine');
    const done = db.transaction(async (tx) => {
      await tx.query('DELETE FROM t');
      await tx.query('INSERT INTO u VALUES (1)');
      throw mine;
    });
    await expect(done).rejects.toBe(mine);
    expect(await column(db, IDS)).toEqual([1, 2]);
    expect(await column(db, 'SELECT id FROM u')).toEqual([]);
  });

  test('leaves nothing when a statement fails, and takes no other after it', async () => {
    const db = database();
    const error = await failureOf(
      db.transaction(async (tx) => {
        await tx.query('INSERT INTO t VALUES (3, 30)');
        const first = await failureOf(tx.query('INSERT INTO t VALUES (1, 0)'));
        expect(first).toMatchObject({ code: 'unique_violation' });
        expect(await failureOf(tx.query('SELECT 1'))).toMatchObject({
          code: 'in_failed_transaction',
          sqlState: '25P02',
        });
      }),
    );
    expect(error).toMatchObject({ code: 'in_failed_transaction' });
    expect(await column(db, IDS)).toEqual([1, 2]);
  });

  test('is undone by hand', async () => {
    const db = database();
    const value = await db.transaction(async (tx) => {
      await tx.query('DELETE FROM t');
      await tx.rollback();
      expect(await failureOf(tx.query('SELECT 1'))).toMatchObject({ code: 'invalid_transaction_state' });
      return 5;
    });
    expect(value).toBe(5);
    expect(await column(db, IDS)).toEqual([1, 2]);
  });

  test('takes no calls after its end', async () => {
    const db = database();
    let kept: Transaction | undefined;
    await db.transaction(async (tx) => {
      kept = tx;
      await tx.query('INSERT INTO t VALUES (3, 30)');
    });
    const tx = kept as unknown as Transaction;
    for (const call of [
      tx.query('DELETE FROM t'),
      tx.insert('t', [{ id: 9, n: 9 }]),
      tx.exec('SELECT 1'),
      tx.rollback(),
    ])
      expect(await failureOf(call)).toMatchObject({ code: 'invalid_transaction_state', hint: expect.any(String) });
    expect(await column(db, IDS)).toEqual([1, 2, 3]);
  });

  test.each(['BEGIN', 'COMMIT', 'ROLLBACK'])('refuses %s as text, and goes on', async (word) => {
    const db = database();
    await db.transaction(async (tx) => {
      await tx.query('INSERT INTO t VALUES (3, 30)');
      for (const call of [tx.query(word), tx.exec(`${word};`)])
        expect(await failureOf(call)).toMatchObject({
          code: 'invalid_transaction_state',
          message: expect.stringContaining(word),
          hint: expect.any(String),
        });
      expect(await column(db, IDS)).toEqual([1, 2]);
    });
    expect(await column(db, IDS)).toEqual([1, 2, 3]);
  });

  test('has savepoints in SQL', async () => {
    const db = database();
    await db.transaction(async (tx) => {
      await tx.exec('SAVEPOINT s; DELETE FROM t; INSERT INTO t VALUES (7, 70)');
      expect(await column(tx, IDS)).toEqual([7]);
      expect(await failureOf(tx.query('INSERT INTO t VALUES (7, 71)'))).toMatchObject({ code: 'unique_violation' });
      await tx.exec('ROLLBACK TO s; INSERT INTO t VALUES (8, 80); RELEASE s');
    });
    expect(await column(db, IDS)).toEqual([1, 2, 8]);
    const unknown = db.transaction((tx) => tx.query('ROLLBACK TO nosuch'));
    expect(await failureOf(unknown)).toMatchObject({ code: 'invalid_savepoint', sqlState: '3B001' });
  });

  test('has parts that are undone by themselves', async () => {
    const db = database();
    await db.transaction(async (tx) => {
      await tx.query('INSERT INTO t VALUES (3, 30)');
      const failed = tx.transaction(async (nested) => {
        await nested.query('INSERT INTO t VALUES (4, 40)');
        await nested.query('INSERT INTO t VALUES (1, 0)');
      });
      expect(await failureOf(failed)).toMatchObject({ code: 'unique_violation' });
      expect(await column(tx, IDS)).toEqual([1, 2, 3]);
      const five = await tx.transaction(async (nested) => {
        expect(await failureOf(tx.query('SELECT 1'))).toMatchObject({ code: 'invalid_transaction_state' });
        await nested.query('INSERT INTO t VALUES (5, 50)');
        await nested.transaction(async (third) => {
          await third.query('INSERT INTO t VALUES (6, 60)');
          await third.rollback();
        });
        return 5;
      });
      expect(five).toBe(5);
    });
    expect(await column(db, IDS)).toEqual([1, 2, 3, 5]);
  });

  test('changes definitions too, all or none', async () => {
    const db = database();
    const done = db.transaction(async (tx) => {
      await tx.exec('CREATE TABLE made (id INTEGER PRIMARY KEY); INSERT INTO made VALUES (1)');
      expect(await column(tx, 'SELECT id FROM made')).toEqual([1]);
      throw new Error('no');
    });
    await expect(done).rejects.toThrow('no');
    expect(await failureOf(db.query('SELECT * FROM made'))).toMatchObject({ code: 'undefined_table' });
  });

  test('is run again when others have changed what it has read', async () => {
    const db = database();
    const seen: unknown[] = [];
    await db.transaction(async (tx) => {
      const n = (await tx.queryOne<{ n: number }>('SELECT n FROM t WHERE id = 1'))?.n ?? 0;
      seen.push(n);
      if (seen.length === 1) await db.query('UPDATE t SET n = 100 WHERE id = 1');
      await tx.query('UPDATE t SET n = $1 WHERE id = 2', [n + 1]);
    });
    expect(seen).toEqual([10, 100]);
    expect(await column(db, 'SELECT n FROM t ORDER BY id')).toEqual([100, 101]);
  });

  test('is given up after its retries, and leaves nothing', async () => {
    const db = database();
    let runs = 0;
    const done = db.transaction(
      async (tx) => {
        runs += 1;
        await tx.query('INSERT INTO t SELECT max(id) + 100, 0 FROM t');
        await db.query('UPDATE t SET n = n + 1 WHERE id = 1');
      },
      { retries: 2 },
    );
    expect(await failureOf(done)).toMatchObject({ code: 'serialization_failure', sqlState: '40001', retryable: true });
    expect(runs).toBe(3);
    expect(await column(db, 'SELECT n FROM t ORDER BY id')).toEqual([13, 20]);
  });

  test('loses no update to others at the same time', async () => {
    const db = database();
    const add = (tx: Transaction): Promise<unknown> => tx.query('UPDATE t SET n = n + 1 WHERE id = 1');
    await Promise.all(Array.from({ length: 12 }, () => db.transaction(add, { retries: 100 })));
    expect(await column(db, 'SELECT n FROM t WHERE id = 1')).toEqual([22]);
  });

  test('gives its rows numbers one after the other, all from one commit', async () => {
    const db = database();
    await db.transaction(async (tx) => {
      await tx.query('INSERT INTO t VALUES (11, 0), (12, 0)');
      await db.query('INSERT INTO u VALUES (99)');
      await tx.query('INSERT INTO t VALUES (13, 0)');
    });
    const [first, ...rest] = (await column(db, 'SELECT _seq FROM t WHERE id > 10 ORDER BY id')) as number[];
    expect(rest).toEqual([Number(first) + 1, Number(first) + 2]);
    const [other] = (await column(db, 'SELECT _seq FROM u')) as number[];
    expect(Number(other)).toBeLessThan(Number(first));
  });

  test('takes concurrent calls', async () => {
    const db = database();
    const ids = Array.from({ length: 20 }, (_value, i) => 100 + i);
    await db.transaction(async (tx) => {
      await Promise.all(ids.map((id) => tx.insert('t', [{ id, n: 0 }])));
    });
    expect(await column(db, 'SELECT id FROM t WHERE id >= 100 ORDER BY id')).toEqual(ids);
  });

  test('of a batch does all or nothing', async () => {
    const db = database();
    const results = await db.batch([
      { sql: 'INSERT INTO t VALUES ($1, $2)', params: [3, 30] },
      { sql: 'UPDATE t SET n = n * 2' },
      { sql: 'SELECT n FROM t ORDER BY id' },
    ]);
    expect(results.map(({ command, affectedRows }) => [command, affectedRows])).toEqual([
      ['INSERT', 1],
      ['UPDATE', 3],
      ['SELECT', undefined],
    ]);
    expect(results[2]?.rows).toEqual([{ n: 20 }, { n: 40 }, { n: 60 }]);
    const failed = db.batch([
      { sql: 'DELETE FROM t' },
      { sql: 'INSERT INTO t VALUES (5, NULL)' },
      { sql: 'INSERT INTO u VALUES (1)' },
    ]);
    expect(await failureOf(failed)).toMatchObject({ code: 'not_null_violation' });
    expect(await column(db, 'SELECT n FROM t ORDER BY id')).toEqual([20, 40, 60]);
    expect(await column(db, 'SELECT id FROM u')).toEqual([]);
    expect(await db.batch([])).toEqual([]);
  });

  test('in SQL belongs to the session that it was begun in', async () => {
    const db = database();
    const [one, two] = [db.session({ userId: 'a' }), db.session({ userId: 'a' })];
    await one.exec('BEGIN; INSERT INTO t VALUES (3, 30)');
    expect(await column(one, IDS)).toEqual([1, 2, 3]);
    expect(await column(two, IDS)).toEqual([1, 2]);
    expect(await failureOf(two.query('COMMIT'))).toMatchObject({ code: 'invalid_transaction_state' });
    await one.transaction((tx) => tx.query('INSERT INTO u VALUES (1)'));
    expect(await one.query('ROLLBACK')).toMatchObject({ command: 'ROLLBACK' });
    expect(await column(one, IDS)).toEqual([1, 2]);
    expect(await column(one, 'SELECT id FROM u')).toEqual([1]);
  });
});

describe.each(TRANSPORTS)('a transaction over a reload, engine in the %s', (_, options) => {
  test('is kept as a whole', async () => {
    await withName(options, async (name) => {
      const before = await KalamDB.open(name, options);
      await before.exec('CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE USER TABLE mine (id INTEGER PRIMARY KEY)');
      const insert = async (tx: Transaction): Promise<void> => {
        await tx.exec('INSERT INTO t VALUES (1); INSERT INTO mine VALUES (2)');
      };
      await before.session({ userId: 'a' }).transaction(insert, { durability: 'strict' });
      await before.close();
      const after = await KalamDB.open(name, options);
      expect(await column(after, IDS)).toEqual([1]);
      expect(await column(after.session({ userId: 'a' }), 'SELECT id FROM mine')).toEqual([2]);
      expect(await column(after, 'SELECT id FROM mine')).toEqual([]);
      await after.close();
    });
  });

  test('leaves nothing when the database is closed in the middle', async () => {
    await withName(options, async (name) => {
      const before = await KalamDB.open(name, options);
      await before.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)');
      const done = before.transaction(async (tx) => {
        await tx.query('INSERT INTO t VALUES (1)');
        await before.close();
        return 'never';
      });
      expect(await failureOf(done)).toMatchObject({ code: 'database_closed' });
      const after = await KalamDB.open(name, options);
      expect(await column(after, IDS)).toEqual([]);
      await after.close();
    });
  });

  test('leaves nothing when its session is closed in the middle', async () => {
    await withName(options, async (name) => {
      const db = await KalamDB.open(name, options);
      await db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)');
      const session = db.session({ userId: 'a' });
      const done = session.transaction(async (tx) => {
        await tx.query('INSERT INTO t VALUES (1)');
        await session.close();
      });
      expect(await failureOf(done)).toMatchObject({ code: 'database_closed' });
      expect(await column(db, IDS)).toEqual([]);
      await db.close();
    });
  });

  test('meets those of another tab', async () => {
    await withName(options, async (name) => {
      const [a, b] = await Promise.all([KalamDB.open(name, options), KalamDB.open(name, options)]);
      await a.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES (1, 0)');
      await expect.poll(() => column(b, IDS).catch(() => null)).toEqual([1]);
      const add = (tx: Transaction): Promise<unknown> => tx.query('UPDATE t SET n = n + 1');
      const tabs = [a, b, a, b, a, b];
      await Promise.all(tabs.map((tab) => tab.transaction(add, { retries: 100 })));
      for (const tab of [a, b]) await expect.poll(() => column(tab, 'SELECT n FROM t')).toEqual([tabs.length]);
      await a.close();
      await b.close();
    });
  });
});

describe('in IndexedDB', () => {
  const options = { worker: false };

  /** The durability of each transaction that writes, while `run` runs. */
  async function writesOf(run: () => Promise<unknown>): Promise<unknown[]> {
    const spy = vi.spyOn(IDBDatabase.prototype, 'transaction');
    try {
      await run();
      return spy.mock.calls.filter(([, mode]) => mode === 'readwrite').map(([, , given]) => given?.durability);
    } finally {
      spy.mockRestore();
    }
  }

  test('a transaction is one, as durable as asked for', async () => {
    await withName(options, async (name) => {
      const db = await KalamDB.open(name, options);
      await db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE TABLE u (id INTEGER PRIMARY KEY)');
      const insert = async (tx: Transaction): Promise<void> => {
        await tx.exec(
          'INSERT INTO t SELECT count(*) FROM t; INSERT INTO u SELECT count(*) FROM u; UPDATE t SET id = id',
        );
      };
      expect(await writesOf(() => db.transaction(insert))).toEqual(['relaxed']);
      expect(await writesOf(() => db.transaction(insert, { durability: 'strict' }))).toEqual(['strict']);
      const batch = [{ sql: 'INSERT INTO t VALUES (50)' }, { sql: 'INSERT INTO u VALUES (50)' }];
      expect(await writesOf(() => db.batch(batch))).toEqual(['relaxed']);
      expect(await writesOf(() => db.transaction((tx) => tx.query('SELECT * FROM t')))).toEqual([]);
      expect(await column(db, IDS)).toEqual([0, 1, 50]);
      await db.close();
      const strict = await KalamDB.open(name, { ...options, durability: 'strict' });
      expect(await writesOf(() => strict.transaction(insert))).toEqual(['strict']);
      await strict.close();
    });
  });
});
