import { KalamDB } from 'kalamdb';
import { beforeEach, describe, expect, test } from 'vitest';
import { column, failureOf, TRANSPORTS, useDatabase, withName } from './support.js';

interface Message {
  id: number;
  author: string;
  content: string | null;
}

describe.each(TRANSPORTS)('shared tables, engine in the %s', (_, options) => {
  const database = useDatabase(options);

  beforeEach(async () => {
    await database().exec(`
      CREATE NAMESPACE IF NOT EXISTS chat;
      DROP TABLE IF EXISTS chat.messages;
      CREATE SHARED TABLE chat.messages (id INTEGER PRIMARY KEY, author TEXT NOT NULL, content TEXT);
      INSERT INTO chat.messages VALUES (1, 'ann', 'hello'), (2, 'ben', 'hi'), (3, 'ann', NULL)`);
  });

  const all = async (text = 'SELECT * FROM chat.messages ORDER BY id'): Promise<Message[]> =>
    (await database().query<Message>(text)).rows;

  test('take one row and many', async () => {
    const db = database();
    const one = await db.query('INSERT INTO chat.messages (id, author) VALUES ($1, $2)', [4, 'cid']);
    expect(one).toMatchObject({ affectedRows: 1, command: 'INSERT', seq: expect.any(Number) });
    const rows = Array.from({ length: 500 }, (_value, i) => ({ id: 100 + i, author: 'many', content: `m${i}` }));
    expect(await db.insert('chat.messages', rows)).toMatchObject({ affectedRows: 500 });
    expect(await all('SELECT * FROM chat.messages WHERE id >= 100 ORDER BY id')).toEqual(rows);
    expect(await all('SELECT * FROM chat.messages WHERE id = 4')).toEqual([{ id: 4, author: 'cid', content: null }]);
  });

  test('are read with WHERE, ORDER BY and LIMIT', async () => {
    const where = "SELECT id FROM chat.messages WHERE author = 'ann' AND content IS NOT NULL";
    expect(await column(database(), where)).toEqual([1]);
    expect(await column(database(), 'SELECT id FROM chat.messages ORDER BY author, id DESC')).toEqual([3, 1, 2]);
    expect(await column(database(), 'SELECT id FROM chat.messages ORDER BY id DESC LIMIT 1 OFFSET 1')).toEqual([2]);
    const authors = 'SELECT count(*) FROM chat.messages GROUP BY author ORDER BY author';
    expect(await column(database(), authors)).toEqual([2, 1]);
  });

  test('are updated', async () => {
    const updated = await database().query("UPDATE chat.messages SET content = upper(author) WHERE author = 'ann'");
    expect(updated).toMatchObject({ affectedRows: 2, command: 'UPDATE' });
    expect(await all()).toEqual([
      { id: 1, author: 'ann', content: 'ANN' },
      { id: 2, author: 'ben', content: 'hi' },
      { id: 3, author: 'ann', content: 'ANN' },
    ]);
    expect(await database().query('UPDATE chat.messages SET content = NULL WHERE id = 99')).toMatchObject({
      affectedRows: 0,
    });
  });

  test('keep deleted rows for those who ask for them', async () => {
    const db = database();
    expect(await db.query('DELETE FROM chat.messages WHERE id = 2')).toMatchObject({ affectedRows: 1 });
    expect(await column(db, 'SELECT id FROM chat.messages ORDER BY id')).toEqual([1, 3]);
    expect(await column(db, 'SELECT count(*) FROM chat.messages')).toEqual([2]);
    expect(await all('SELECT id, author FROM chat.messages WHERE _deleted = true')).toEqual([{ id: 2, author: 'ben' }]);
    expect(await db.query('SELECT id, _deleted FROM chat.messages ORDER BY id')).toMatchObject({
      rows: [
        { id: 1, _deleted: false },
        { id: 2, _deleted: true },
        { id: 3, _deleted: false },
      ],
    });
    expect(await db.query('DELETE FROM chat.messages WHERE id = 2')).toMatchObject({ affectedRows: 0 });
    await db.query("INSERT INTO chat.messages VALUES (2, 'new', 'again')");
    expect(await column(db, 'SELECT author FROM chat.messages WHERE id = 2')).toEqual(['new']);
    // The deleted row stays, and cannot come back while its key is taken.
    expect(await column(db, 'SELECT author FROM chat.messages WHERE _deleted = true')).toEqual(['ben']);
    await expect(db.query('UNDELETE FROM chat.messages WHERE id = 2')).rejects.toMatchObject({
      code: 'unique_violation',
    });
    expect(await column(db, 'SELECT author FROM chat.messages WHERE id = 2')).toEqual(['new']);
  });

  test('have system columns by name', async () => {
    const db = database();
    const before = await db.query<{ id: number; s: number; u: Date; d: boolean }>(
      'SELECT id, _seq AS s, _updated AS u, _deleted AS d FROM chat.messages ORDER BY _seq',
    );
    expect(before.rows.map(({ id, d }) => [id, d])).toEqual([
      [1, false],
      [2, false],
      [3, false],
    ]);
    expect(before.fields.map(({ type }) => type)).toEqual(['INTEGER', 'BIGINT', 'TIMESTAMP', 'BOOLEAN']);
    const last = before.rows.at(-1);
    expect(Math.abs(Date.now() - Number(last?.u))).toBeLessThan(24 * 3600 * 1000);
    const { seq } = await db.query("UPDATE chat.messages SET content = 'x' WHERE id = 1");
    expect(seq).toBeGreaterThan(Number(last?.s));
    expect(await column(db, 'SELECT _seq FROM chat.messages WHERE id = 1')).toEqual([seq]);
    expect(Object.keys((await all())[0] ?? {})).toEqual(['id', 'author', 'content']);
    const star = db.session({ userId: 'a' }, { systemColumns: 'star' });
    const starred = await star.query('SELECT * FROM chat.messages LIMIT 1');
    expect(starred.fields.map(({ name }) => name)).toEqual(expect.arrayContaining(['_seq', '_updated', '_deleted']));
  });

  test.each([
    "INSERT INTO chat.messages (id, author, _seq) VALUES (9, 'x', 1)",
    'UPDATE chat.messages SET _deleted = true',
    'UPDATE chat.messages SET _updated = NOW()',
  ])('refuse to have system columns written: %s', async (statement) => {
    expect(await failureOf(database().query(statement))).toMatchObject({ code: 'cannot_modify_system_column' });
    expect(await column(database(), 'SELECT id FROM chat.messages ORDER BY id')).toEqual([1, 2, 3]);
  });

  test('are made once', async () => {
    const db = database();
    const create = (clause: string): string => `CREATE TABLE ${clause} chat.messages (other TEXT)`;
    expect(await failureOf(db.exec(create('')))).toMatchObject({ code: 'duplicate_table', sqlState: '42P07' });
    await db.exec(create('IF NOT EXISTS'));
    expect(await all()).toHaveLength(3);
    expect(await failureOf(db.query('SELECT other FROM chat.messages'))).toMatchObject({ code: 'undefined_column' });
  });

  const policies: [string, string][] = [
    ['p1', "(id INTEGER PRIMARY KEY) WITH (FLUSH_POLICY = 'rows:100')"],
    ['p2', "(id INTEGER PRIMARY KEY) WITH (TYPE = 'SHARED', FLUSH_POLICY = 'rows:100,interval:60')"],
    ['p3', '(id INTEGER PRIMARY KEY) FLUSH ROWS 100'],
    ['p4', '(id INTEGER PRIMARY KEY) FLUSH SECONDS 60'],
    ['p5', '(id INTEGER PRIMARY KEY) FLUSH POLICY ROWS 100 OR TIME 60s'],
    ['p6', '(id INTEGER PRIMARY KEY) WITH (DELETED_RETENTION_HOURS = 24)'],
  ];
  test.each(policies)('take a policy: %s %s', async (table, definition) => {
    const db = database();
    await db.exec(`CREATE TABLE chat.${table} ${definition}`);
    await db.insert(`chat.${table}`, [{ id: 1 }, { id: 2 }]);
    await db.exec(`DELETE FROM chat.${table} WHERE id = 1`);
    expect(await column(db, `SELECT id FROM chat.${table}`)).toEqual([2]);
    await db.exec(`DROP TABLE chat.${table}`);
  });

  const refused: [string, string][] = [
    ['an unknown option', "(id INTEGER PRIMARY KEY) WITH (NO_SUCH_OPTION = '1')"],
    ['a policy that says nothing', "(id INTEGER PRIMARY KEY) WITH (FLUSH_POLICY = 'sometimes')"],
    ['no rows', "(id INTEGER PRIMARY KEY) WITH (FLUSH_POLICY = 'rows:0')"],
    ['a type that is not the one of the statement', "(id INTEGER PRIMARY KEY) WITH (TYPE = 'USER')"],
    ['a TTL', '(id INTEGER PRIMARY KEY) WITH (TTL_SECONDS = 10)'],
  ];
  test.each(refused)('refuse %s', async (_what, definition) => {
    const db = database();
    await failureOf(db.exec(`CREATE SHARED TABLE chat.refused ${definition}`));
    expect(await failureOf(db.query('SELECT * FROM chat.refused'))).toMatchObject({ code: 'undefined_table' });
  });

  test('are dropped with their rows', async () => {
    const db = database();
    await db.exec('DROP TABLE chat.messages');
    expect(await failureOf(all())).toMatchObject({ code: 'undefined_table', sqlState: '42P01' });
    expect(await failureOf(db.exec('DROP TABLE chat.messages'))).toMatchObject({ code: 'undefined_table' });
    await db.exec('DROP TABLE IF EXISTS chat.messages');
    await db.exec('CREATE TABLE chat.messages (id INTEGER PRIMARY KEY, author TEXT, content TEXT)');
    expect(await all()).toEqual([]);
    expect(await column(db, 'SELECT id FROM chat.messages WHERE _deleted = true')).toEqual([]);
  });

  test('of one namespace stand beside each other', async () => {
    const db = database();
    await db.exec(
      'CREATE TABLE IF NOT EXISTS chat.authors (name TEXT PRIMARY KEY, age INTEGER); DELETE FROM chat.authors',
    );
    await db.insert('chat.authors', [
      { name: 'ann', age: 30 },
      { name: 'ben', age: 40 },
    ]);
    const join = 'SELECT a.age FROM chat.messages m JOIN chat.authors a ON a.name = m.author ORDER BY m.id';
    expect(await column(db, join)).toEqual([30, 40, 30]);
    await db.exec('DELETE FROM chat.authors');
    expect(await column(db, 'SELECT count(*) FROM chat.messages')).toEqual([3]);
    await db.exec('DROP TABLE chat.authors');
    expect(await column(db, 'SELECT count(*) FROM chat.messages')).toEqual([3]);
  });

  test('are written by users too', async () => {
    const ann = database().session({ userId: 'ann' });
    await ann.query("INSERT INTO chat.messages VALUES (4, 'ann', 'by a user')");
    const ben = database().session({ userId: 'ben' });
    expect(await column(ben, 'SELECT content FROM chat.messages WHERE id = 4')).toEqual(['by a user']);
    expect(await ben.query('DELETE FROM chat.messages WHERE id = 4')).toMatchObject({ affectedRows: 1 });
    expect(await column(ann, 'SELECT id FROM chat.messages ORDER BY id')).toEqual([1, 2, 3]);
  });
});

describe.each(TRANSPORTS)('the life of a shared table, engine in the %s', (_, options) => {
  test('goes on over reloads', async () => {
    await withName(options, async (name) => {
      const reopened = async (run: (db: KalamDB) => Promise<void>): Promise<void> => {
        const db = await KalamDB.open(name, options);
        await run(db);
        await db.close();
      };
      const read = 'SELECT v FROM app.t ORDER BY id';
      await reopened(async (db) => {
        await db.exec('CREATE NAMESPACE app; CREATE TABLE app.t (id INTEGER PRIMARY KEY, v TEXT)');
        await db.exec("INSERT INTO app.t VALUES (1, 'a'), (2, 'b'), (3, 'c')");
      });
      await reopened(async (db) => {
        expect(await column(db, read)).toEqual(['a', 'b', 'c']);
        await db.exec("UPDATE app.t SET v = 'z' WHERE id = 1; DELETE FROM app.t WHERE id = 2");
      });
      await reopened(async (db) => {
        expect(await column(db, read)).toEqual(['z', 'c']);
        expect(await column(db, 'SELECT id FROM app.t WHERE _deleted = true')).toEqual([2]);
        await db.exec('DROP TABLE app.t');
      });
      await reopened(async (db) => {
        expect(await failureOf(db.query(read))).toMatchObject({ code: 'undefined_table' });
        await db.exec('DROP NAMESPACE app');
        expect(await failureOf(db.exec('USE app'))).toMatchObject({ code: 'undefined_schema' });
      });
    });
  });
});
