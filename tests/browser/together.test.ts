import { KalamDB } from 'kalamdb';
import { describe, expect, test } from 'vitest';
import { column, TRANSPORTS, withName } from './support.js';

const INSERT = 'INSERT INTO t (id, body) VALUES ($1, $2)';

describe.each(TRANSPORTS)('statements that do not wait for each other, engine in the %s', (_, options) => {
  test('are all there after reopening, each with a number of its own', async () => {
    await withName(options, async (name) => {
      const db = await KalamDB.open(name, options);
      await db.query('CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)');
      const ids = Array.from({ length: 1000 }, (_, i) => i);
      const results = await Promise.all(ids.map((id) => db.query(INSERT, [id, `row ${id}`])));
      const seqs = results.map(({ seq }) => seq as number);
      expect(new Set(seqs).size).toBe(1000);
      expect(db.durableSeq).toBe(Math.max(...seqs));
      await db.close();
      const again = await KalamDB.open(name, options);
      expect(again.durableSeq).toBe(0);
      expect(await column(again, 'SELECT id FROM t ORDER BY id')).toEqual(ids);
      expect(await column(again, 'SELECT _seq FROM t ORDER BY id')).toEqual(seqs);
      await again.close();
    });
  });

  test('fail each for itself', async () => {
    await withName(options, async (name) => {
      const db = await KalamDB.open(name, options);
      await db.query('CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)');
      const outcomes = await Promise.allSettled(
        Array.from({ length: 300 }, (_, i) => db.query(INSERT, [i % 200, 'x'])),
      );
      const failed = outcomes.filter(({ status }) => status === 'rejected');
      expect(failed).toHaveLength(100);
      expect(outcomes.slice(0, 200).every(({ status }) => status === 'fulfilled')).toBe(true);
      expect(failed[0]).toMatchObject({ reason: { code: 'unique_violation' } });
      expect(await column(db, 'SELECT count(*) FROM t')).toEqual([200]);
      await db.close();
    });
  });

  test('are run in the order in which they were sent, in every session', async () => {
    await withName(options, async (name) => {
      const db = await KalamDB.open(name, options);
      await db.exec(
        'CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT); CREATE USER TABLE own (id INTEGER PRIMARY KEY)',
      );
      const users = ['ann', 'bob'].map((userId) => db.session({ userId }));
      const insert = (id: unknown, body: unknown = null) => db.query(INSERT, [id, body] as never);
      const outcomes = await Promise.allSettled([
        ...[1, 2, 3].map((id) => insert(id, `row ${id}`)),
        db.query("UPDATE t SET body = 'changed' WHERE id = 2"),
        ...[2, '4', 5.5, null, 6].map((id) => insert(id)),
        ...users.flatMap((user) => [1, 2, 1].map((id) => user.query('INSERT INTO own VALUES (?)', [id]))),
        db.query('DELETE FROM t WHERE id = 6'),
        ...[6, 7].map((id) => insert(id, id === 7 ? { a: [id] } : 'again')),
      ]);
      const own = [undefined, undefined, 'unique_violation'];
      expect(outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : undefined))).toEqual([
        ...[undefined, undefined, undefined],
        undefined,
        ...['unique_violation', undefined, 'invalid_text_representation', 'not_null_violation', undefined],
        ...own,
        ...own,
        undefined,
        ...[undefined, 'datatype_mismatch'],
      ]);
      expect((await db.query('SELECT * FROM t ORDER BY id', [], { rowMode: 'array' })).rows).toEqual([
        [1, 'row 1'],
        [2, 'changed'],
        [3, 'row 3'],
        [4, null],
        [6, 'again'],
      ]);
      for (const user of users) expect(await column(user, 'SELECT id FROM own ORDER BY id')).toEqual([1, 2]);
      await db.close();
    });
  });

  test('find the table that another connection has just made', async () => {
    await withName(options, async (name) => {
      const [one, two] = [await KalamDB.open(name, options), await KalamDB.open(name, options)];
      for (let at = 0; at < 10; at += 1) {
        await one.exec(`CREATE TABLE t${at} (id INTEGER PRIMARY KEY)`);
        const texts = [`SELECT count(*) FROM t${at}`, `SELECT sum(id) FROM t${at}`, `DELETE FROM t${at}`];
        const results = await Promise.all([...texts, ...texts].map((text) => two.query(text)));
        expect(results).toHaveLength(6);
      }
      await one.close();
      await two.close();
    });
  });

  test('of two connections lose nothing of each other', async () => {
    await withName(options, async (name) => {
      const [one, two] = [await KalamDB.open(name, options), await KalamDB.open(name, options)];
      await one.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL); INSERT INTO t VALUES (1, 0)');
      const add = (db: KalamDB) => db.query('UPDATE t SET n = n + 1 WHERE id = 1');
      const results = await Promise.all(Array.from({ length: 100 }, (_, i) => add(i % 2 === 0 ? one : two)));
      expect(new Set(results.map(({ seq }) => seq)).size).toBe(100);
      await one.close();
      await two.close();
      const db = await KalamDB.open(name, options);
      expect(await column(db, 'SELECT n FROM t')).toEqual([100]);
      await db.close();
    });
  });
});
