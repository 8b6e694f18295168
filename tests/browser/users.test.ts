import { KalamDB, type Queries, type Session, sql } from 'kalamdb';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { column, failureOf, TRANSPORTS, useDatabase, withName } from './support.js';

const NOTES = 'SELECT id, text FROM notes ORDER BY id';

/** The rows of a query as arrays. */
async function arrays(client: Queries, text: string): Promise<unknown[]> {
  return (await client.query<unknown[]>(text, [], { rowMode: 'array' })).rows;
}

describe.each(TRANSPORTS)('users, engine in the %s', (_, options) => {
  const database = useDatabase(options);
  let alice: Session;
  let bob: Session;

  beforeAll(async () => {
    const db = database();
    await db.exec('CREATE USER TABLE notes (id INTEGER PRIMARY KEY, text TEXT, label TEXT UNIQUE)');
    await db.exec('CREATE TABLE words (word TEXT PRIMARY KEY, note INTEGER)');
    alice = db.session({ userId: 'alice' });
    bob = db.session({ userId: 'bob' });
  });

  // The same keys for everybody: whatever is looked up by key must not find another one's row.
  beforeEach(async () => {
    const db = database();
    for (const client of [db, alice, bob]) await client.exec('DELETE FROM notes');
    await db.exec('DELETE FROM words');
    await db.query("INSERT INTO notes VALUES (1, 'app one', 'x')");
    await alice.insert('notes', [
      { id: 1, text: 'alice one', label: 'x' },
      { id: 2, text: 'alice two', label: 'y' },
      { id: 3, text: 'alice three', label: null },
    ]);
    await bob.insert('notes', [{ id: 2, text: 'bob two', label: 'x' }]);
  });

  test('see their own rows, and the application its own', async () => {
    expect(await arrays(alice, NOTES)).toEqual([
      [1, 'alice one'],
      [2, 'alice two'],
      [3, 'alice three'],
    ]);
    expect(await arrays(bob, NOTES)).toEqual([[2, 'bob two']]);
    expect(await arrays(database(), NOTES)).toEqual([[1, 'app one']]);
    expect(await arrays(database().session({ userId: 'carol' }), NOTES)).toEqual([]);
  });

  test('see the same in every session of theirs', async () => {
    const again = database().session({ userId: 'alice' });
    await again.query("UPDATE notes SET text = 'changed' WHERE id = 1");
    expect(await column(alice, 'SELECT text FROM notes WHERE id = 1')).toEqual(['changed']);
    await again.close();
    expect(await column(alice, 'SELECT count(*) FROM notes')).toEqual([3]);
  });

  const counted: [string, string, unknown[], unknown[]][] = [
    ['an aggregate', 'SELECT count(*), min(text), max(id) FROM notes', [3, 'alice one', 3], [1, 'bob two', 2]],
    ['a self join', 'SELECT count(*) FROM notes a JOIN notes b ON a.id <= b.id', [6], [1]],
    ['a cross join', 'SELECT count(*) FROM notes a, notes b', [9], [1]],
    ['an outer join', 'SELECT count(*) FROM notes a FULL JOIN notes b ON a.id = b.id + 1', [4], [2]],
    ['UNION ALL', 'SELECT count(*) FROM (SELECT id FROM notes UNION ALL SELECT id FROM notes) u', [6], [2]],
    ['UNION', 'SELECT count(*) FROM (SELECT id FROM notes UNION SELECT id FROM notes) u', [3], [1]],
    ['a subquery', 'SELECT (SELECT max(text) FROM notes)', ['alice two'], ['bob two']],
    [
      'a correlated subquery',
      'SELECT count(*) FROM notes n WHERE EXISTS (SELECT 1 FROM notes m WHERE m.id = n.id + 1)',
      [2],
      [0],
    ],
    ['IN', 'SELECT count(*) FROM notes WHERE id IN (SELECT id FROM notes WHERE id > 1)', [2], [1]],
    ['a CTE', 'WITH n AS (SELECT * FROM notes) SELECT count(*) FROM n a JOIN n b ON a.id = b.id', [3], [1]],
    [
      'a recursive CTE',
      'WITH RECURSIVE r AS (SELECT id FROM notes WHERE id = 2 UNION ALL SELECT n.id FROM notes n JOIN r ON n.id = r.id + 1) SELECT count(*) FROM r',
      [2],
      [1],
    ],
    ['a window', 'SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY id) AS n FROM notes) w', [3], [1]],
    ['tombstones', 'SELECT count(*) FROM notes WHERE _deleted = false', [3], [1]],
  ];
  test.each(counted)('%s touches the rows of one user', async (_what, text, forAlice, forBob) => {
    expect(await arrays(alice, text)).toEqual([forAlice]);
    expect(await arrays(bob, text)).toEqual([forBob]);
  });

  test('share shared tables, and join them with their own rows', async () => {
    await database().insert('words', [
      { word: 'first', note: 1 },
      { word: 'second', note: 2 },
    ]);
    const text = 'SELECT w.word, n.text FROM words w LEFT JOIN notes n ON n.id = w.note ORDER BY w.word';
    expect(await arrays(alice, text)).toEqual([
      ['first', 'alice one'],
      ['second', 'alice two'],
    ]);
    expect(await arrays(bob, text)).toEqual([
      ['first', null],
      ['second', 'bob two'],
    ]);
    await bob.query("INSERT INTO words VALUES ('third', 3)");
    expect(await column(alice, 'SELECT count(*) FROM words')).toEqual([3]);
  });

  test("change nothing of another user's", async () => {
    const before = await arrays(alice, NOTES);
    expect(await bob.query("UPDATE notes SET text = 'taken' WHERE id = 1")).toMatchObject({ affectedRows: 0 });
    expect(await bob.query('DELETE FROM notes WHERE id = 1')).toMatchObject({ affectedRows: 0 });
    expect(await bob.query("UPDATE notes SET text = 'mine'")).toMatchObject({ affectedRows: 1 });
    expect(await bob.query('DELETE FROM notes')).toMatchObject({ affectedRows: 1 });
    expect(await database().query('DELETE FROM notes')).toMatchObject({ affectedRows: 1 });
    expect(await arrays(alice, NOTES)).toEqual(before);
    expect(await arrays(bob, NOTES)).toEqual([]);
  });

  test("do not see another user's deleted rows", async () => {
    await alice.query('DELETE FROM notes WHERE id = 1');
    expect(await column(alice, 'SELECT id FROM notes WHERE _deleted = true AND id = 1')).toEqual([1]);
    const carol = database().session({ userId: 'carol' });
    expect(await column(carol, 'SELECT id FROM notes WHERE _deleted = true')).toEqual([]);
  });

  test('have keys and unique values of their own', async () => {
    expect(await bob.query("INSERT INTO notes VALUES (1, 'bob one', 'y')")).toMatchObject({ affectedRows: 1 });
    expect(await failureOf(bob.query("INSERT INTO notes VALUES (1, 'again', 'z')"))).toMatchObject({
      code: 'unique_violation',
    });
    expect(await failureOf(bob.query("INSERT INTO notes VALUES (4, 'again', 'y')"))).toMatchObject({
      code: 'unique_violation',
    });
    expect(await arrays(bob, NOTES)).toEqual([
      [1, 'bob one'],
      [2, 'bob two'],
    ]);
  });

  test('copy their own rows only', async () => {
    await bob.query('INSERT INTO words SELECT text, id FROM notes');
    expect(await arrays(database(), 'SELECT word, note FROM words')).toEqual([['bob two', 2]]);
    await alice.query('INSERT INTO notes (id, text) SELECT id + 10, text FROM notes');
    expect(await column(alice, 'SELECT id FROM notes ORDER BY id')).toEqual([1, 2, 3, 11, 12, 13]);
    expect(await column(bob, 'SELECT id FROM notes')).toEqual([2]);
  });

  test('get no errors from the values of others, nor see them in errors', async () => {
    const cast = 'SELECT CAST(text AS INTEGER) AS n FROM notes WHERE id = 1';
    expect((await failureOf(alice.query(cast))).code).toBe('invalid_text_representation');
    expect((await bob.query(cast)).rows).toEqual([]);
    const statements = [
      'SELECT CAST(text AS INTEGER) FROM notes',
      "INSERT INTO notes VALUES (2, 'again', 'q')",
      "INSERT INTO notes VALUES (9, 'again', 'x')",
      'SELECT nosuch FROM notes',
    ];
    for (const statement of statements) {
      const error = await failureOf(bob.query(statement));
      expect(`${error.message} ${error.detail} ${error.hint}`).not.toMatch(/alice|app one/);
    }
  });

  test('learn nothing about the number of rows of others from plans', async () => {
    const carol = database().session({ userId: 'carol' });
    const explain = 'EXPLAIN SELECT text, count(*) FROM notes WHERE id > 0 GROUP BY text';
    const before = await arrays(carol, explain);
    const rows = Array.from({ length: 7919 }, (_value, i) => ({ id: 1000 + i, text: `t${i}`, label: null }));
    await alice.insert('notes', rows);
    expect(await column(alice, 'SELECT count(*) FROM notes WHERE id >= 1000')).toEqual([7919]);
    expect(await arrays(carol, explain)).toEqual(before);
  });

  test('learn nothing about it from counted plans', async () => {
    await alice.insert('notes', { columns: ['id'], rows: Array.from({ length: 500 }, (_value, i) => [1000 + i]) });
    const carol = database().session({ userId: 'carol' });
    const analyzed = JSON.stringify(await arrays(carol, 'EXPLAIN ANALYZE SELECT count(*) FROM notes WHERE id > 0'));
    const counts = [...analyzed.matchAll(/output_rows=([^,\]]+)/g)].map(([, count]) => count);
    expect(counts.length).toBeGreaterThan(0);
    expect(['0', '1']).toEqual(expect.arrayContaining(counts));
  });

  test('have prepared statements of their own', async () => {
    const text = 'SELECT text FROM notes WHERE id = $1';
    const [first, second] = [alice.prepare<{ text: string }>(text), bob.prepare<{ text: string }>(text)];
    for (let i = 0; i < 3; i++) {
      expect(await first.get([2])).toEqual({ text: 'alice two' });
      expect(await second.get([2])).toEqual({ text: 'bob two' });
    }
    expect(await second.all([1])).toEqual([]);
    await first.close();
    await second.close();
  });

  test('work on one connection at once', async () => {
    const numbers = Array.from({ length: 30 }, (_value, i) => 100 + i);
    const work = async (client: Session): Promise<void> => {
      const owners = 'SELECT DISTINCT text FROM notes WHERE id >= 100';
      const calls = numbers.map(async (id) => {
        await client.query(sql`INSERT INTO notes (id, text) VALUES (${id}, ${client.userId})`);
        expect(await column(client, owners)).toEqual([client.userId]);
      });
      await Promise.all(calls);
      expect(await column(client, 'SELECT id FROM notes WHERE id >= 100 ORDER BY id')).toEqual(numbers);
    };
    await Promise.all([work(alice), work(bob)]);
  });

  test('have transactions that do not meet', async () => {
    let runs = 0;
    await alice.transaction(async (tx) => {
      runs += 1;
      expect(await column(tx, 'SELECT count(*) FROM notes')).toEqual([3]);
      await bob.query("UPDATE notes SET text = 'meanwhile'");
      await tx.query("UPDATE notes SET text = 'mine'");
    });
    expect(runs).toBe(1);
    expect(await column(bob, 'SELECT text FROM notes')).toEqual(['meanwhile']);
    expect(await column(alice, 'SELECT DISTINCT text FROM notes')).toEqual(['mine']);
  });

  const definitions = [
    'CREATE TABLE mine (id INTEGER PRIMARY KEY)',
    'CREATE USER TABLE mine (id INTEGER PRIMARY KEY)',
    'CREATE STREAM TABLE mine (id INTEGER) WITH (TTL_SECONDS = 10)',
    'CREATE TABLE mine AS SELECT 1 AS id',
    'CREATE VIEW mine AS SELECT 1 AS id',
    'CREATE NAMESPACE mine',
    'CREATE INDEX mine ON notes (text)',
    'ALTER TABLE notes ADD COLUMN mine TEXT',
    'DROP TABLE notes',
    'DROP USER TABLE notes',
  ];
  test.each(definitions)('may not run %s', async (statement) => {
    expect(await failureOf(alice.query(statement))).toMatchObject({
      code: 'insufficient_privilege',
      sqlState: '42501',
      message: expect.stringContaining('user'),
    });
    expect(await failureOf(alice.query('SELECT * FROM mine'))).toMatchObject({ code: 'undefined_table' });
    expect(await arrays(alice, NOTES)).toHaveLength(3);
  });

  test('are run as by others only where the role allows it', async () => {
    const statement = "EXECUTE AS USER 'alice' (SELECT text FROM notes WHERE id = 1)";
    expect(await failureOf(bob.query(statement))).toMatchObject({ code: 'insufficient_privilege' });
    const service = database().session({ userId: 'worker', role: 'service' });
    expect(await arrays(service, NOTES)).toEqual([]);
    for (const client of [service, database()])
      expect(await client.query(statement)).toMatchObject({ rows: [{ text: 'alice one' }], asUser: 'alice' });
    expect(await bob.query('SELECT 1 AS one')).not.toHaveProperty('asUser');
  });

  test('have a current namespace each', async () => {
    const db = database();
    await db.exec(
      'CREATE NAMESPACE IF NOT EXISTS other; CREATE USER TABLE IF NOT EXISTS other.things (id INTEGER PRIMARY KEY)',
    );
    const carol = db.session({ userId: 'carol' });
    await carol.exec('USE other; INSERT INTO things VALUES (1)');
    expect(await failureOf(bob.query('SELECT * FROM things'))).toMatchObject({ code: 'undefined_table' });
    expect(await column(bob, 'SELECT id FROM other.things')).toEqual([]);
    expect(await column(carol, 'SELECT id FROM things')).toEqual([1]);
  });
});

describe.each(TRANSPORTS)('the ids of users, engine in the %s', (_, options) => {
  const IDS = [
    '',
    ' ',
    'a',
    'a:',
    'a:b',
    'a/b',
    'a\0b',
    'a\0',
    'system',
    'null',
    'undefined',
    '__proto__',
    "o'brien",
    '%',
    '..',
    '\u{1f600}',
    '\u00e9',
    'e\u0301',
    'A',
    'x'.repeat(10_000),
    `${'x'.repeat(9_999)}y`,
  ];

  test('are any strings, and stay apart over a reload', async () => {
    await withName(options, async (name) => {
      const before = await KalamDB.open(name, options);
      await before.exec('CREATE USER TABLE t (id INTEGER PRIMARY KEY, n INTEGER)');
      await before.query('INSERT INTO t VALUES (0, -1)');
      for (const [n, userId] of IDS.entries()) await before.session({ userId }).insert('t', [{ id: 0, n }]);
      const check = async (db: KalamDB): Promise<void> => {
        for (const [n, userId] of IDS.entries())
          expect(await column(db.session({ userId }), 'SELECT n FROM t')).toEqual([n]);
        expect(await column(db, 'SELECT n FROM t')).toEqual([-1]);
      };
      await check(before);
      await before.close();
      const after = await KalamDB.open(name, options);
      await check(after);
      await after.close();
    });
  });

  test('are refused without a UTF-8 form and above their limit', async () => {
    const db = await KalamDB.open('memory:', options);
    expect(() => db.session({ userId: 'a\ud83d' })).toThrow(
      expect.objectContaining({ code: 'character_not_in_repertoire' }),
    );
    const long = db.session({ userId: 'x'.repeat(2 ** 17) });
    expect(await failureOf(long.query('SELECT 1'))).toMatchObject({ code: 'invalid_parameter_value' });
    await db.close();
  });
});

describe.each(TRANSPORTS)('the sessions of a database, engine in the %s', (_, options) => {
  test('of two tabs see the same', async () => {
    await withName(options, async (name) => {
      const [here, there] = await Promise.all([KalamDB.open(name, options), KalamDB.open(name, options)]);
      await here.exec('CREATE USER TABLE t (id INTEGER PRIMARY KEY, owner TEXT)');
      const ids = 'SELECT owner FROM t ORDER BY id';
      await here.session({ userId: 'alice' }).insert('t', [{ id: 1, owner: 'alice' }]);
      await expect.poll(() => column(there, ids).catch(() => null)).toEqual([]);
      await there.session({ userId: 'bob' }).insert('t', [{ id: 1, owner: 'bob' }]);
      await expect.poll(() => column(there.session({ userId: 'alice' }), ids)).toEqual(['alice']);
      await expect.poll(() => column(here.session({ userId: 'bob' }), ids)).toEqual(['bob']);
      const mine = here.session({ userId: 'alice' });
      expect(await failureOf(mine.insert('t', [{ id: 1, owner: 'again' }]))).toMatchObject({
        code: 'unique_violation',
      });
      expect(await column(here, ids)).toEqual([]);
      await here.close();
      await there.close();
    });
  });

  test('close by themselves, and with it', async () => {
    await withName(options, async (name) => {
      const db = await KalamDB.open(name, options);
      await db.exec('CREATE USER TABLE t (id INTEGER PRIMARY KEY)');
      const [first, second] = [db.session({ userId: 'a' }), db.session({ userId: 'a' })];
      await first.insert('t', [{ id: 1 }]);
      await first.close();
      await first.close();
      expect(await failureOf(first.query('SELECT 1'))).toMatchObject({ code: 'database_closed' });
      expect(await column(second, 'SELECT id FROM t')).toEqual([1]);
      await db.close();
      expect(await failureOf(second.query('SELECT 1'))).toMatchObject({ code: 'database_closed' });
    });
  });
});
