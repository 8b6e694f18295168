import { KalamDB } from 'kalamdb';
import { describe, expect, test, vi } from 'vitest';
import { column, failureOf, TRANSPORTS, withName } from './support.js';

describe.each(TRANSPORTS)('a database, engine in the %s', (_, options) => {
  test('is there again after it was closed', async () => {
    await withName(options, async (name) => {
      const before = await KalamDB.open(name, options);
      expect(before.mode).toBe('indexeddb');
      await before.exec('CREATE TABLE t (id INT PRIMARY KEY)');
      await before.insert('t', [{ id: 1 }, { id: 2 }]);
      await before.close();
      const after = await KalamDB.open(name, { ...options, durability: 'strict' });
      expect(await column(after, 'SELECT id FROM t ORDER BY id')).toEqual([1, 2]);
      await after.close();
    });
  });

  test('finishes the calls in flight when it is closed, and refuses later ones', async () => {
    await withName(options, async (name) => {
      const db = await KalamDB.open(name, options);
      await db.exec('CREATE TABLE t (id INT PRIMARY KEY)');
      const writing = db.insert('t', [{ id: 1 }]);
      const closing = db.close();
      expect(await failureOf(db.query('SELECT 1'))).toMatchObject({ code: 'database_closed', sqlState: '08003' });
      expect(await failureOf(db.insert('t', [{ id: 2 }]))).toMatchObject({ code: 'database_closed' });
      expect(await writing).toMatchObject({ affectedRows: 1 });
      await closing;
      await db.close();
      expect(await failureOf(db.exec('SELECT 1'))).toMatchObject({ code: 'database_closed' });
    });
  });

  test('is gone after it was deleted', async () => {
    await withName(options, async (name) => {
      const before = await KalamDB.open(name, options);
      await before.exec('CREATE TABLE t (id INT PRIMARY KEY)');
      await before.close();
      await KalamDB.delete(name, options);
      const after = await KalamDB.open(name, options);
      expect(await failureOf(after.query('SELECT * FROM t'))).toMatchObject({ code: 'undefined_table' });
      await after.close();
    });
  });

  test('may be deleted when there is none', async () => {
    await expect(KalamDB.delete(`test-${crypto.randomUUID()}`, options)).resolves.toBeUndefined();
  });

  test('in memory is new each time and shared with nobody', async () => {
    const first = await KalamDB.open('memory:', options);
    const second = await KalamDB.open('memory:', options);
    expect(first.mode).toBe('memory');
    await first.exec('CREATE TABLE t (id INT PRIMARY KEY)');
    expect(await failureOf(second.query('SELECT * FROM t'))).toMatchObject({ code: 'undefined_table' });
    await first.close();
    await second.close();
    const names = (await indexedDB.databases()).map((database) => database.name);
    expect(names.filter((name) => name?.includes('memory'))).toEqual([]);
  });

  test('carries out calls that are made at once', async () => {
    await withName(options, async (name) => {
      const db = await KalamDB.open(name, options);
      await db.exec('CREATE TABLE t (id INT PRIMARY KEY, v TEXT)');
      const ids = Array.from({ length: 50 }, (_value, id) => id);
      const writes = ids.map((id) => db.query('INSERT INTO t VALUES ($1, $2)', [id, `v${id}`]));
      const reads = ids.map((id) => db.queryOne('SELECT $1 AS id', [id]));
      const failures = ids.map((id) => failureOf(db.query(`SELECT * FROM nosuch_${id}`)));
      expect((await Promise.all(writes)).map((result) => result.affectedRows)).toEqual(ids.map(() => 1));
      expect(await Promise.all(reads)).toEqual(ids.map((id) => ({ id })));
      for (const [id, error] of (await Promise.all(failures)).entries())
        expect(error.message).toContain(`nosuch_${id}`);
      expect(await column(db, 'SELECT v FROM t ORDER BY id')).toEqual(ids.map((id) => `v${id}`));
      await db.close();
    });
  });

  test('that is open twice shows each the commits of the other', async () => {
    await withName(options, async (name) => {
      const [a, b] = await Promise.all([KalamDB.open(name, options), KalamDB.open(name, options)]);
      await a.exec('CREATE TABLE t (id INT PRIMARY KEY)');
      const ids = 'SELECT id FROM t ORDER BY id';
      // Reads show the commits of others once the news has come; writes are checked against all that was committed.
      await expect.poll(() => column(b, ids).catch(() => null)).toEqual([]);
      await b.insert('t', [{ id: 1 }]);
      expect(await failureOf(a.insert('t', [{ id: 1 }]))).toMatchObject({ code: 'unique_violation' });
      await Promise.all([a.insert('t', [{ id: 2 }]), b.insert('t', [{ id: 3 }])]);
      await expect.poll(() => column(a, ids)).toEqual([1, 2, 3]);
      await expect.poll(() => column(b, ids)).toEqual([1, 2, 3]);
      expect(await failureOf(b.insert('t', [{ id: 2 }]))).toMatchObject({ code: 'unique_violation' });
      await a.close();
      expect(await column(b, 'SELECT count(*) FROM t')).toEqual([3]);
      await b.close();
    });
  });
});

describe('where there is no storage', () => {
  const options = { worker: false };

  /** As browsers do in some private modes and where the user forbids it. */
  function forbidStorage(): void {
    vi.spyOn(IDBFactory.prototype, 'open').mockImplementation(() => {
      throw new DOMException('storage is forbidden', 'SecurityError');
    });
  }

  test('open rejects', async () => {
    forbidStorage();
    try {
      const error = await failureOf(KalamDB.open('forbidden', options));
      expect(error).toMatchObject({ code: 'storage_unavailable', sqlState: 'ZB002' });
    } finally {
      vi.restoreAllMocks();
    }
  });

  test('open gives a database in memory when that was asked for', async () => {
    forbidStorage();
    try {
      const db = await KalamDB.open('forbidden', { ...options, onStorageUnavailable: 'memory' });
      expect(db.mode).toBe('memory');
      await db.exec('CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)');
      expect(await column(db, 'SELECT id FROM t')).toEqual([1]);
      await db.close();
    } finally {
      vi.restoreAllMocks();
    }
  });
});
