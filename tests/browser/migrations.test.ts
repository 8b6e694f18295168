import { KalamDB } from 'kalamdb';
import { describe, expect, test, vi } from 'vitest';
import v1 from '../fixtures/storage/v1.json';
import v2 from '../fixtures/storage/v2.json';
import v3 from '../fixtures/storage/v3.json';
import wentBack from '../fixtures/storage/v3-head-went-back.json';
import { column, failureOf, TRANSPORTS, withName } from './support.js';

/** A stored record; bytes are in base64. One without a key says that there is such an object store. */
interface Stored {
  store: string;
  key?: IDBValidKey;
  bytes?: string;
  value?: unknown;
}

/** Stores what an earlier version of the code has stored. */
async function restore(name: string, { version, records }: { version: number; records: Stored[] }): Promise<void> {
  const request = indexedDB.open(`kalamdb/${name}`, version);
  request.onupgradeneeded = () => {
    for (const store of new Set(records.map((record) => record.store))) request.result.createObjectStore(store);
  };
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const transaction = database.transaction([...database.objectStoreNames], 'readwrite');
  for (const { store, key, bytes, value } of records) {
    if (key === undefined) continue;
    const stored = bytes === undefined ? value : Uint8Array.from(atob(bytes), (char) => char.charCodeAt(0));
    transaction.objectStore(store).put(stored, key);
  }
  await new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
  database.close();
}

async function storedVersions(name: string): Promise<{ idb: number; format: unknown }> {
  const request = indexedDB.open(`kalamdb/${name}`);
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const format = database.transaction('meta').objectStore('meta').get('format');
  await new Promise((resolve) => {
    format.onsuccess = resolve;
  });
  database.close();
  return { idb: database.version, format: format.result };
}

describe.each(TRANSPORTS)('the engine in the %s', (_, options) => {
  test.each([v1, v2, v3])(
    'reads and writes on a database of version $version, which becomes one of the current',
    async (old) => {
      await withName(options, async (name) => {
        await restore(name, old as { version: number; records: Stored[] });
        const check = async (db: KalamDB): Promise<void> => {
          const items = 'SELECT id, title, price, tags, meta, added, stock FROM app.items ORDER BY id';
          expect((await db.query(items, [], { rowMode: 'array', timestamps: 'iso' })).rows).toEqual([
            [1, 'one', '1.50', ['a', 'b'], { x: 1 }, '2024-05-01T12:00:00Z', 7],
            [2, 'TWO', null, null, null, null, 7],
            [4, 'four', null, null, null, null, 9_007_199_254_740_993n],
          ]);
          expect(await column(db, 'SELECT id FROM app.items WHERE _deleted = true')).toEqual([3]);
          expect(await column(db, 'SELECT title FROM app.cheap')).toEqual(['one']);
          expect(await column(db, 'SELECT line FROM log')).toEqual(['same', 'same']);
          const ann = db.session({ userId: 'ann' });
          expect(await column(ann, 'SELECT body FROM notes ORDER BY id')).toEqual(['of ann', 'another']);
          expect(await column(db.session({ userId: '' }), 'SELECT body FROM notes')).toEqual(['of the empty user']);
          expect(await failureOf(ann.query("INSERT INTO notes (body) VALUES ('of ann')"))).toMatchObject({
            code: 'unique_violation',
          });
        };
        const db = await KalamDB.open(name, options);
        await check(db);
        expect(await db.check()).toMatchObject({ ok: true });
        await db.query('STORAGE COMPACT ALL');
        await check(db);
        await db.close();
        expect(await storedVersions(name)).toEqual({ idb: 4, format: 4 });
        const again = await KalamDB.open(name, options);
        await check(again);
        await again.session({ userId: 'ann' }).query("INSERT INTO notes (body) VALUES ('third')");
        expect(await column(again.session({ userId: 'ann' }), "SELECT id FROM notes WHERE body = 'third'")).toEqual([
          3,
        ]);
        await again.close();
      });
    },
  );

  // A commit of a tab that had died was stored on top of three later ones: it has written over the first of them, and the head is its.
  test('sets a database right whose head had gone back, and tells', async () => {
    await withName(options, async (name) => {
      await restore(name, wentBack as { version: number; records: Stored[] });
      const warn = vi.spyOn(console, 'warn');
      const db = await KalamDB.open(name, options);
      expect(await column(db, 'SELECT id FROM t ORDER BY id')).toEqual([1, 2, 102, 103, 201]);
      expect(await column(db.session({ userId: 'ann' }), 'SELECT id FROM u')).toEqual([7]);
      const told = {
        what: 'the head was 5, the log goes on to commit 7: it is 7 now',
        lost: ['rows of commits 5 to 7 that a tab which had died has written over, if there were any'],
      };
      expect(await db.check()).toMatchObject({ ok: true, repairs: [told] });
      // A worker has a console of its own.
      if (options.worker === false) expect(warn.mock.calls.flat().join()).toContain(told.what);
      await db.query("INSERT INTO t VALUES (104, 'later')");
      await db.close();
      const again = await KalamDB.open(name, options);
      expect(await column(again, 'SELECT id FROM t ORDER BY id')).toEqual([1, 2, 102, 103, 104, 201]);
      expect(await again.check()).toMatchObject({ ok: true, repairs: [told] });
      const seqs = await column(again, 'SELECT _seq FROM t');
      expect(new Set(seqs).size).toBe(seqs.length);
      await again.close();
      warn.mockRestore();
    });
  });
});
