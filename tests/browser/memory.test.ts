import { KalamDB } from 'kalamdb';
import { describe, expect, test } from 'vitest';
import { column, failureOf, TRANSPORTS, withName } from './support.js';

const N = 140_000;
const LIMIT = 6 * 1024 * 1024;

/** A table whose stored columns take more than the limit: hashes do not compress. */
async function fill(name: string): Promise<void> {
  const db = await KalamDB.open(name);
  await db.exec('CREATE TABLE items (id INTEGER PRIMARY KEY, kind INTEGER, a TEXT, b TEXT)');
  await db.exec(
    `INSERT INTO items SELECT v, v % 7, md5(v::text), md5('b' || v) FROM generate_series(1, ${N}) AS g(v); FLUSH TABLE items`,
  );
  expect((await db.storage()).segmentBytes).toBeGreaterThan(LIMIT);
  await db.close();
}

const GROUPS = 'SELECT kind, count(*) AS n, max(a) AS a, min(b) AS b FROM items GROUP BY kind ORDER BY kind';
const READS = [
  'SELECT count(*) AS n, sum(length(a)) AS length, min(a) AS a, max(b) AS b FROM items',
  GROUPS,
  'SELECT id, a, b FROM items ORDER BY a LIMIT 5',
  'SELECT id FROM items ORDER BY id DESC LIMIT 1000 OFFSET 70000',
  'SELECT x.kind, count(*) AS n, max(y.b) AS b FROM items x JOIN items y ON x.id = y.id - 1 WHERE y.id <= 20000 GROUP BY x.kind ORDER BY x.kind',
];

describe.each(TRANSPORTS)('a limit of memory, engine in the %s', (_, options) => {
  test('smaller than a table changes no answer, and is kept by queries alone', async () => {
    await withName(options, async (name) => {
      await fill(name);
      const free = await KalamDB.open(name, options);
      const db = await KalamDB.open(name, { ...options, memoryLimitBytes: LIMIT });
      for (const sql of READS) expect((await db.query(sql)).rows).toEqual((await free.query(sql)).rows);
      expect(await column(db, GROUPS.replace('kind,', ''))).toEqual(Array(7).fill(N / 7));

      const expected = (await free.query(GROUPS)).rows;
      const sessions = [1, 2, 3].map(() => db.session({ userId: 'ann' }));
      const answers = await Promise.all([db, ...sessions].flatMap((each) => [each.query(GROUPS), each.query(GROUPS)]));
      for (const { rows } of answers) expect(rows).toEqual(expected);

      const tooMuch = 'SELECT * FROM items ORDER BY b, a';
      const [failure, answer] = await Promise.all([failureOf(db.query(tooMuch)), db.query(GROUPS)]);
      expect(failure).toMatchObject({ code: 'out_of_memory', sqlState: '53200', retryable: false });
      expect(answer.rows).toEqual(expected);
      // What it held is free again.
      for (const sql of READS) expect((await db.query(sql)).rows).toEqual((await free.query(sql)).rows);
      expect(await db.query("UPDATE items SET a = 'changed' WHERE id = 70000")).toMatchObject({ affectedRows: 1 });
      expect(await column(db, 'SELECT a FROM items WHERE id = 70000')).toEqual(['changed']);
      expect(await failureOf(db.query(tooMuch))).toMatchObject({ code: 'out_of_memory' });
      await db.close();
      await free.close();
    });
  });
});
