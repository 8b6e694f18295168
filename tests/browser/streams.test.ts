import { KalamDB } from 'kalamdb';
import { describe, expect, test } from 'vitest';
import { column, failureOf, TRANSPORTS, useDatabase, withName } from './support.js';

describe.each(TRANSPORTS)('streams, engine in the %s', (_, options) => {
  const database = useDatabase(options);

  /** Makes a stream with a name of its own. */
  async function stream(settings: string): Promise<string> {
    const name = `s_${crypto.randomUUID().replaceAll('-', '')}`;
    await database().exec(`CREATE STREAM TABLE ${name} (id INTEGER, event TEXT NOT NULL) WITH (${settings})`);
    return name;
  }

  const ids = (table: string, client = 'db'): Promise<unknown[]> => {
    const db = database();
    return column(client === 'db' ? db : db.session({ userId: client }), `SELECT id FROM ${table} ORDER BY id`);
  };

  const rows = (...numbers: number[]): { id: number; event: string }[] =>
    numbers.map((id) => ({ id, event: `e${id}` }));

  test('take events and are read as any table', async () => {
    const table = await stream('TTL_SECONDS = 3600');
    const db = database();
    expect(await db.query(`INSERT INTO ${table} VALUES (1, 'a'), (2, 'b')`)).toMatchObject({ affectedRows: 2 });
    expect(await db.insert(table, rows(3))).toMatchObject({ affectedRows: 1 });
    expect((await db.query(`SELECT * FROM ${table} WHERE id > 1 ORDER BY id`)).rows).toEqual([
      { id: 2, event: 'b' },
      { id: 3, event: 'e3' },
    ]);
    expect(await column(db, `SELECT count(*) FROM ${table} a JOIN ${table} b ON a.id = b.id`)).toEqual([3]);
  });

  test('keep events that look the same', async () => {
    const table = await stream('TTL_SECONDS = 3600');
    await database().insert(table, rows(1, 1));
    await database().insert(table, rows(1));
    expect(await ids(table)).toEqual([1, 1, 1]);
  });

  test.each([
    ['UPDATE', (table: string) => `UPDATE ${table} SET event = 'x'`],
    ['DELETE', (table: string) => `DELETE FROM ${table}`],
  ])('refuse %s', async (word, statement) => {
    const table = await stream('TTL_SECONDS = 3600');
    await database().insert(table, rows(1));
    const error = await failureOf(database().query(statement(table)));
    expect(error.message).toContain(`${word} is not supported on stream tables`);
    expect((await database().query(`SELECT * FROM ${table}`)).rows).toEqual(rows(1));
  });

  test('refuse to be altered', async () => {
    const table = await stream('TTL_SECONDS = 3600');
    await failureOf(database().exec(`ALTER TABLE ${table} ADD COLUMN more TEXT`));
    expect(await failureOf(database().query(`SELECT more FROM ${table}`))).toMatchObject({ code: 'undefined_column' });
  });

  test.each(['_seq', '_updated', '_deleted'])('have no %s', async (name) => {
    const table = await stream('TTL_SECONDS = 3600');
    const error = await failureOf(database().query(`SELECT ${name} FROM ${table}`));
    expect(error).toMatchObject({ code: 'undefined_column', sqlState: '42703' });
  });

  test('have no system columns in * either', async () => {
    const table = await stream('TTL_SECONDS = 3600');
    const session = database().session({ userId: 'a' }, { systemColumns: 'star' });
    expect((await session.query(`SELECT * FROM ${table}`)).fields.map(({ name }) => name)).toEqual(['id', 'event']);
  });

  test('need a TTL or a bound', async () => {
    const error = await failureOf(database().exec('CREATE STREAM TABLE endless (id INTEGER)'));
    expect(`${error.message} ${error.hint}`).toMatch(/TTL|MAX_BUFFER/i);
    expect(await failureOf(database().query('SELECT * FROM endless'))).toMatchObject({ code: 'undefined_table' });
  });

  test.each(['TTL_SECONDS = 0', 'TTL_SECONDS = -1', 'MAX_BUFFER = 0', "SCOPE = 'NOBODY', TTL_SECONDS = 1"])(
    'refuse %s',
    async (settings) => {
      await failureOf(database().exec(`CREATE STREAM TABLE refused (id INTEGER) WITH (${settings})`));
      expect(await failureOf(database().query('SELECT * FROM refused'))).toMatchObject({ code: 'undefined_table' });
    },
  );

  test('forget events after their time', async () => {
    const table = await stream('TTL_SECONDS = 1');
    await database().insert(table, rows(1, 2));
    await expect.poll(() => ids(table), { timeout: 20_000 }).toEqual([]);
    await database().insert(table, rows(3));
    expect(await ids(table)).toEqual([3]);
  });

  test('keep no more than their bound, the newest', async () => {
    const table = await stream('MAX_BUFFER = 3');
    for (const id of [1, 2, 3, 4]) await database().insert(table, rows(id));
    expect(await ids(table)).toEqual([2, 3, 4]);
    await database().insert(table, rows(5, 6, 7, 8, 9));
    expect(await ids(table)).toEqual([7, 8, 9]);
  });

  test('that are ephemeral keep nothing when nobody listens', async () => {
    const table = await stream('TTL_SECONDS = 3600, EPHEMERAL = true');
    await database().insert(table, rows(1));
    expect(await ids(table)).toEqual([]);
  });

  test('check what they are given', async () => {
    const table = await stream('TTL_SECONDS = 3600');
    const call = database().insert(table, [
      { id: 1, event: 'a' },
      { id: 2, event: null },
    ]);
    expect(await failureOf(call)).toMatchObject({ code: 'not_null_violation' });
    expect(await ids(table)).toEqual([]);
  });

  test('are for everybody, or for one user each', async () => {
    const db = database();
    const [open, own] = [await stream('TTL_SECONDS = 3600'), await stream("TTL_SECONDS = 3600, SCOPE = 'USER'")];
    for (const table of [open, own]) {
      await db.insert(table, rows(1));
      await db.session({ userId: 'alice' }).insert(table, rows(2));
      await db.session({ userId: 'bob' }).insert(table, rows(3));
    }
    for (const client of ['db', 'alice', 'bob', 'carol']) expect(await ids(open, client)).toEqual([1, 2, 3]);
    expect(await ids(own)).toEqual([1]);
    expect(await ids(own, 'alice')).toEqual([2]);
    expect(await ids(own, 'bob')).toEqual([3]);
    expect(await ids(own, 'carol')).toEqual([]);
  });

  test('of one user each have a bound each', async () => {
    const table = await stream("MAX_BUFFER = 2, SCOPE = 'USER'");
    await database().session({ userId: 'alice' }).insert(table, rows(1, 2));
    await database()
      .session({ userId: 'bob' })
      .insert(table, rows(3, 4, 5));
    expect(await ids(table, 'alice')).toEqual([1, 2]);
    expect(await ids(table, 'bob')).toEqual([4, 5]);
  });

  test('take the older forms of their options', async () => {
    const db = database();
    await db.exec("CREATE STREAM TABLE old_form (id INTEGER) WITH (retention='3600s', ephemeral=false, max_buffer=2)");
    await db.insert('old_form', [{ id: 1 }, { id: 2 }, { id: 3 }]);
    expect(await ids('old_form')).toEqual([2, 3]);
    await db.exec('CREATE STREAM TABLE suffixes (id INTEGER) TTL 3600 SECONDS BUFFER_SIZE 1');
    await db.insert('suffixes', [{ id: 1 }, { id: 2 }]);
    expect(await ids('suffixes')).toEqual([2]);
  });

  test('take part in transactions', async () => {
    const table = await stream('TTL_SECONDS = 3600');
    const db = database();
    await db.transaction(async (tx) => {
      await tx.insert(table, rows(1));
      expect(await ids(table)).toEqual([]);
    });
    const undone = db.transaction(async (tx) => {
      await tx.insert(table, rows(2));
      await tx.rollback();
    });
    await undone;
    expect(await ids(table)).toEqual([1]);
  });

  test('are dropped with their events', async () => {
    const db = database();
    const create = 'CREATE STREAM TABLE again (id INTEGER) WITH (TTL_SECONDS = 3600)';
    await db.exec(create);
    await db.insert('again', [{ id: 1 }]);
    await db.exec(`DROP STREAM TABLE again; ${create}`);
    expect(await ids('again')).toEqual([]);
  });
});

describe.each(TRANSPORTS)('streams over a reload, engine in the %s', (_, options) => {
  test('keep their events until their time', async () => {
    await withName(options, async (name) => {
      const before = await KalamDB.open(name, options);
      await before.exec(`
        CREATE STREAM TABLE long (id INTEGER) WITH (TTL_SECONDS = 3600);
        CREATE STREAM TABLE short (id INTEGER) WITH (TTL_SECONDS = 1);
        INSERT INTO long VALUES (1); INSERT INTO short VALUES (2)`);
      await before.close();
      const after = await KalamDB.open(name, options);
      expect(await column(after, 'SELECT id FROM long')).toEqual([1]);
      await expect.poll(() => column(after, 'SELECT id FROM short'), { timeout: 20_000 }).toEqual([]);
      await after.close();
    });
  });
});
