import { KalamDB } from 'kalamdb';
import { describe, expect, test } from 'vitest';
import { column, failureOf, TRANSPORTS, withName } from './support.js';

const N = 30_000;

/** A table of which all rows are in segments. */
async function fill(db: KalamDB): Promise<void> {
  await db.exec('CREATE TABLE items (id INTEGER PRIMARY KEY, title TEXT, amount DOUBLE, at BIGINT)');
  const ids = Array.from({ length: N }, (_, i) => (i * 7919) % N);
  const rows = ids.map((id) => [id, `title of ${id}`, id / 100, 1_700_000_000_000 + id]);
  await db.insert('items', { columns: ['id', 'title', 'amount', 'at'], rows });
  expect(await db.query('FLUSH TABLE items')).toMatchObject({ affectedRows: N, command: 'FLUSH TABLE' });
}

/** Overwrites a byte of a stored record. */
async function damage(name: string, store: string, pick: (keys: IDBValidKey[]) => IDBValidKey): Promise<void> {
  const request = indexedDB.open(`kalamdb/${name}`);
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const transaction = database.transaction(store, 'readwrite');
  const records = transaction.objectStore(store);
  const keys = records.getAllKeys();
  await new Promise<void>((resolve, reject) => {
    keys.onsuccess = () => {
      const key = pick(keys.result);
      const value = records.get(key);
      value.onsuccess = () => {
        const bytes: Uint8Array = value.result;
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
        records.put(bytes, key);
      };
    };
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
  database.close();
}

describe.each(TRANSPORTS)('segments, engine in the %s', (_, options) => {
  test('hold the same rows as the log, also after reopening', async () => {
    await withName(options, async (name) => {
      const db = await KalamDB.open(name, options);
      await fill(db);
      await db.exec("UPDATE items SET title = 'changed' WHERE id % 10000 = 1; DELETE FROM items WHERE id % 10000 = 2");
      await db.insert('items', [{ id: N, title: 'new', amount: 0.5, at: 2n ** 60n }]);
      const check = async (db: KalamDB): Promise<void> => {
        expect(await column(db, 'SELECT count(*) FROM items')).toEqual([N - 2]);
        expect(await column(db, "SELECT id FROM items WHERE title = 'changed' ORDER BY id")).toEqual([
          1, 10_001, 20_001,
        ]);
        expect(await column(db, 'SELECT title FROM items WHERE id = $1', [12_345])).toEqual(['title of 12345']);
        expect(await column(db, 'SELECT at FROM items WHERE id = $1', [N])).toEqual([2n ** 60n]);
        expect(await column(db, 'SELECT id FROM items WHERE id BETWEEN 9999 AND 10003 ORDER BY id')).toEqual([
          9999, 10_000, 10_001, 10_003,
        ]);
        expect(await column(db, 'SELECT sum(id) FROM items WHERE id < $1', [N])).toEqual([
          (N * (N - 1)) / 2 - 2 - 10_002 - 20_002,
        ]);
        expect(await failureOf(db.query("INSERT INTO items VALUES (77, 'again', 0, 0)"))).toMatchObject({
          code: 'unique_violation',
        });
      };
      await check(db);
      await db.close();
      const again = await KalamDB.open(name, options);
      await check(again);
      expect(await again.query('STORAGE COMPACT TABLE items')).toMatchObject({ command: 'STORAGE COMPACT TABLE' });
      await check(again);
      const { segmentBytes, logBytes, tables } = await again.storage();
      expect({ logBytes, segmentBytes }).toEqual({ logBytes: 0, segmentBytes: tables[0]?.segmentBytes });
      expect(tables).toMatchObject([
        { namespace: 'default', table: 'items', logRows: 0, segments: 1, segmentRows: N + 1 - 2 + 2 },
      ]);
      await again.close();
    });
  });

  test('are made by themselves once a table says so', async () => {
    await withName(options, async (name) => {
      const db = await KalamDB.open(name, options);
      await db.exec("CREATE TABLE t (id INTEGER PRIMARY KEY) WITH (FLUSH_POLICY = 'rows:5')");
      await db.insert(
        't',
        [1, 2, 3, 4, 5].map((id) => ({ id })),
      );
      await expect
        .poll(() => column(db, "SELECT rows FROM system.jobs WHERE job_type = 'flush' AND status = 'completed'"), {
          timeout: 20_000,
        })
        .toEqual([5]);
      expect(await column(db, 'SELECT count(*) FROM t')).toEqual([5]);
      await db.close();
    });
  });

  test('made by one connection are read by another, which goes on writing', async () => {
    await withName(options, async (name) => {
      const [one, two] = [await KalamDB.open(name, options), await KalamDB.open(name, options)];
      await fill(one);
      expect(await column(two, 'SELECT count(*) FROM items')).toEqual([N]);
      await two.query("UPDATE items SET title = 'two' WHERE id = 5");
      await one.query('FLUSH TABLE items');
      await one.query('STORAGE COMPACT TABLE items');
      await two.query("UPDATE items SET title = title || '!' WHERE id = 5");
      for (const db of [one, two])
        await expect.poll(() => column(db, 'SELECT title FROM items WHERE id = 5')).toEqual(['two!']);
      await one.close();
      await two.close();
    });
  });

  test('that are damaged are reported, and the rest is read and salvaged', async () => {
    await withName(options, async (name) => {
      const db = await KalamDB.open(name, options);
      await fill(db);
      await db.exec('CREATE USER TABLE notes (id INTEGER PRIMARY KEY, big BIGINT)');
      await db.session({ userId: 'ann' }).query('INSERT INTO notes VALUES (1, $1)', [2n ** 53n + 1n]);
      expect(await db.check()).toMatchObject({ ok: true, damaged: [], orphanedPages: 0 });
      await db.close();
      // The column `title`, the second of the table.
      await damage(name, 'segments', (keys) => keys.find((key) => Array.isArray(key) && key[1] === 2) ?? []);
      const again = await KalamDB.open(name, options);
      expect(await column(again, 'SELECT sum(id) FROM items')).toEqual([(N * (N - 1)) / 2]);
      const error = await failureOf(again.query('SELECT max(title) FROM items'));
      expect(error.code).toBe('data_corrupted');
      expect(error.message).toContain('table items');
      const report = await again.check();
      expect(report.ok).toBe(false);
      expect(report.damaged).toMatchObject([{ table: 'items', what: expect.any(String) }]);
      const { tables, damaged } = await again.salvage();
      expect(damaged).toEqual(report.damaged);
      const items = tables.find(({ table }) => table === 'items');
      expect(items?.columns.map(({ type }) => type)).toEqual(['INTEGER', 'TEXT', 'DOUBLE', 'BIGINT']);
      expect(JSON.parse(items?.rows ?? '').slice(0, 2)).toEqual([
        [0, null, 0, 1_700_000_000_000],
        [1, null, 0.01, 1_700_000_000_001],
      ]);
      const notes = tables.find(({ table }) => table === 'notes');
      expect({ kind: notes?.kind, userId: notes?.userId, rows: notes?.rows }).toEqual({
        kind: 'user',
        userId: 'ann',
        rows: '[[1,9007199254740993]]',
      });
      await again.close();
    });
  });
});

describe('what is stored', () => {
  test('is told with what the browser says of it', async () => {
    await withName({}, async (name) => {
      const db = await KalamDB.open(name);
      await db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2)');
      const report = await db.storage();
      expect(report).toMatchObject({ mode: 'indexeddb', segmentBytes: 0, tables: [{ table: 't', logRows: 2 }] });
      expect(report.logBytes).toBeGreaterThan(0);
      expect(report.quotaBytes).toBeGreaterThan(0);
      expect(['none', 'low', 'high']).toContain(report.evictionRisk);
      expect(typeof (await db.requestPersistence())).toBe('boolean');
      await db.close();
      expect(await failureOf(db.storage())).toMatchObject({ code: 'database_closed' });
      expect(await failureOf(db.check())).toMatchObject({ code: 'database_closed' });
    });
  });

  test('is nothing for a database in memory', async () => {
    const db = await KalamDB.open('memory:');
    await db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)');
    expect(await db.query('FLUSH TABLE t')).toMatchObject({ affectedRows: 1 });
    expect(await column(db, 'SELECT id FROM t')).toEqual([1]);
    expect(await db.storage()).toMatchObject({ mode: 'memory', logBytes: 0 });
    await db.close();
  });
});
