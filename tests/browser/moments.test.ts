import { KalamDB } from 'kalamdb';
import { describe, expect, test, vi } from 'vitest';
import { column, failureOf, TRANSPORTS, withName } from './support.js';

/** A connection to the database behind one of ours, which makes way for nobody. */
async function openRaw(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(`kalamdb/${name}`);
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** All that a store holds, keys and values. */
async function everything(database: IDBDatabase, store: string): Promise<[IDBValidKey, unknown][]> {
  const records = database.transaction(store).objectStore(store);
  const [keys, values] = [records.getAllKeys(), records.getAll()];
  await new Promise((resolve) => {
    values.onsuccess = resolve;
  });
  return keys.result.map((key, at) => [key, values.result[at]]);
}

describe.each(TRANSPORTS)('while others write, engine in the %s', (_, options) => {
  test('check and salvage see each table whole', async () => {
    await withName(options, async (name) => {
      const [reader, writer] = [await KalamDB.open(name, options), await KalamDB.open(name, options)];
      await writer.exec(
        'CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); CREATE USER TABLE u (id INTEGER PRIMARY KEY)',
      );
      const ann = writer.session({ userId: 'ann' });
      let nKept = 0;
      let isOver = false;
      const write = async (): Promise<void> => {
        for (let id = 1; !isOver; id++) {
          await writer.query('INSERT INTO t VALUES ($1, $2)', [id, `value ${id}`]);
          await ann.query('INSERT INTO u VALUES ($1)', [id]);
          nKept = id;
          if (id % 3 === 0) await writer.query('STORAGE FLUSH ALL');
          if (id % 7 === 0) await writer.query('STORAGE COMPACT ALL');
          if (id % 5 === 0) {
            await writer.exec('CREATE TABLE other (id INTEGER PRIMARY KEY); INSERT INTO other VALUES (1)');
            await writer.query('FLUSH TABLE other');
            await writer.query(id % 2 === 0 ? 'DROP TABLE other' : 'TRUNCATE TABLE other');
            if (id % 2 === 1) await writer.query('DROP TABLE other');
          }
        }
      };
      const writing = write();
      for (let n = 0; n < 15; n++) {
        expect(await reader.check()).toMatchObject({ ok: true, damaged: [], repairs: [] });
        const before = nKept;
        const { tables, damaged } = await reader.salvage();
        expect(damaged).toEqual([]);
        for (const table of ['t', 'u']) {
          const found = tables.find((salvaged) => salvaged.table === table);
          const ids = JSON.parse(found?.rows ?? '[]').map(([id]: [number]) => id);
          expect(new Set(ids).size).toBe(ids.length);
          expect(ids.length).toBeGreaterThanOrEqual(before);
          expect(found?.userId).toBe(before > 0 && table === 'u' ? 'ann' : found?.userId);
        }
      }
      isOver = true;
      await writing;
      await writer.close();
      await reader.close();
    });
  });

  test('nobody has to win a race', async () => {
    await withName(options, async (name) => {
      const writers = await Promise.all([1, 2, 3, 4].map(() => KalamDB.open(name, options)));
      const [first, second, third, slow] = writers;
      if (!first || !second || !third || !slow) throw new Error('there are four');
      await slow.exec('CREATE TABLE t (id BIGINT PRIMARY KEY); CREATE TABLE big (id BIGINT PRIMARY KEY, v BIGINT)');
      await slow.query('INSERT INTO big SELECT v, 0 FROM generate_series(1, 30000) AS g(v)');
      let nUpdates = 0;
      const counts = [0, 0, 0];
      const isOver = (): boolean => nUpdates >= 5 && counts.every((count) => count >= 20);
      const insert = async (db: KalamDB, at: number): Promise<void> => {
        for (let id = 0; !isOver(); id++) {
          await db.query('INSERT INTO t VALUES ($1)', [at * 1_000_000 + id]);
          counts[at] = id + 1;
        }
      };
      const update = async (): Promise<void> => {
        while (!isOver()) {
          await slow.query('UPDATE big SET v = v + 1 WHERE id % 3 = 0');
          nUpdates += 1;
        }
      };
      await Promise.all([insert(first, 0), insert(second, 1), insert(third, 2), update()]);
      const fresh = await KalamDB.open(name, options);
      const [a, b, c] = counts;
      expect(await column(fresh, 'SELECT count(*) FROM t')).toEqual([(a ?? 0) + (b ?? 0) + (c ?? 0)]);
      expect(await column(fresh, 'SELECT DISTINCT v FROM big ORDER BY v')).toEqual([0, nUpdates]);
      await Promise.all([...writers, fresh].map((db) => db.close()));
    });
  });

  test('a database is deleted at once, and for good', async () => {
    await withName(options, async (name) => {
      const old = await KalamDB.open(name, options);
      await old.exec('CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)');
      const raw = await openRaw(name);
      await KalamDB.delete(name, options);
      const db = await KalamDB.open(name, options);
      await db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (2)');
      expect(await failureOf(old.query('INSERT INTO t VALUES (3)'))).toMatchObject({ code: 'database_closed' });
      expect(await failureOf(old.query('SELECT * FROM t'))).toMatchObject({ code: 'database_closed' });
      raw.close();
      await db.query('INSERT INTO t VALUES (4)');
      await db.close();
      await old.close();
      const again = await KalamDB.open(name, options);
      expect(await column(again, 'SELECT id FROM t ORDER BY id')).toEqual([2, 4]);
      expect(await again.check()).toMatchObject({ ok: true });
      await again.close();
    });
  });
});

test('a transaction that the browser aborts for no reason may be tried again', async () => {
  const options = { worker: false };
  await withName(options, async (name) => {
    const db = await KalamDB.open(name, options);
    await db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)');
    vi.spyOn(IDBTransaction.prototype, 'commit').mockImplementationOnce(function (this: IDBTransaction) {
      this.abort();
    });
    const error = await failureOf(db.query('INSERT INTO t VALUES (1)'));
    expect(error).toMatchObject({ code: 'io_error', sqlState: '58030', retryable: true });
    expect(await column(db, 'SELECT id FROM t')).toEqual([]);
    await db.query('INSERT INTO t VALUES (1)');
    expect(await column(db, 'SELECT id FROM t')).toEqual([1]);
    vi.restoreAllMocks();
    await db.close();
  });
});

test('storage answers when a record is damaged, and names the table', async () => {
  const options = { worker: false };
  await withName(options, async (name) => {
    const db = await KalamDB.open(name, options);
    await db.exec('CREATE TABLE whole (id INTEGER PRIMARY KEY); CREATE TABLE broken (id INTEGER PRIMARY KEY)');
    await db.exec('INSERT INTO broken VALUES (1), (2); INSERT INTO whole VALUES (1)');
    await db.query('FLUSH TABLE broken');
    await db.close();
    const raw = await openRaw(name);
    const [[key, value] = ['', undefined]] = await everything(raw, 'manifest');
    const bytes = Uint8Array.from(value as Uint8Array);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    const transaction = raw.transaction('manifest', 'readwrite');
    transaction.objectStore('manifest').put(bytes, key);
    await new Promise((resolve) => {
      transaction.oncomplete = resolve;
    });
    raw.close();
    const again = await KalamDB.open(name, options);
    const { tables, damaged } = await again.storage();
    expect(damaged).toMatchObject([{ key: expect.stringMatching(/^manifest\/\d+\/0$/), table: 'broken' }]);
    expect(tables.find(({ table }) => table === 'whole')).toMatchObject({ logRows: 1 });
    expect(await column(again, 'SELECT id FROM whole')).toEqual([1]);
    await again.close();
  });
});

test('what is stored does not name users, but for the record that says who they are', async () => {
  const options = { worker: false };
  await withName(options, async (name) => {
    const db = await KalamDB.open(name, options);
    await db.exec('CREATE USER TABLE u (id INTEGER PRIMARY KEY)');
    const session = db.session({ userId: 'somebody-of-that-name' });
    await session.query('INSERT INTO u VALUES (1)');
    await db.query('FLUSH TABLE u');
    await session.query('INSERT INTO u VALUES (2)');
    const raw = await openRaw(name);
    const named: string[] = [];
    for (const store of ['log', 'segments', 'manifest', 'catalog'])
      for (const [key, value] of await everything(raw, store)) {
        expect(value).toBeInstanceOf(Uint8Array);
        if (new TextDecoder('latin1').decode(value as Uint8Array).includes('somebody')) named.push(`${store}/${key}`);
      }
    expect(named).toEqual([expect.stringMatching(/^catalog\/owner\/[0-9a-f]{16}$/)]);
    raw.close();
    await db.close();
    const again = await KalamDB.open(name, options);
    const users = await column(again, 'SELECT user_id FROM system.users');
    expect(users).toEqual(['somebody-of-that-name']);
    await again.close();
  });
});
