import { beforeEach, describe, expect, test } from 'vitest';
import { KalamDB, type OpenOptions, type Session, sql } from '../api/index.js';
import { broken, log, release, TRAP_WASM } from './fake-engine.js';

const PAGE: OpenOptions = { worker: false, wasmUrl: TRAP_WASM };

beforeEach(() => {
  log.length = 0;
  broken.clear();
});

async function open(options: OpenOptions = {}): Promise<KalamDB> {
  const db = await KalamDB.open('a', { ...PAGE, ...options });
  log.length = 0;
  return db;
}

describe('a session', () => {
  test('runs its calls as its user', async () => {
    const db = await open();
    const alice = db.session({ userId: 'alice' });
    const bob = db.session({ userId: 'bob', role: 'dba' });
    expect([alice.userId, alice.role, bob.userId, bob.role]).toEqual(['alice', 'user', 'bob', 'dba']);
    expect((await alice.query('a')).rows).toEqual([{ text: 'a' }]);
    expect(await bob.queryOne(sql`b ${1}`)).toEqual({ text: 'b $1' });
    await bob.exec('c');
    await alice.insert('t', [{ x: 1 }]);
    await db.query('d');
    expect(log).toEqual([
      'alice (user): query a',
      'bob (dba): query b $1',
      'bob (dba): query c',
      'alice (user): insert t x',
      'query d',
    ]);
    await db.close();
  });

  test('of the same user is another session', async () => {
    const db = await open();
    const sessions = [db.session({ userId: 'a' }), db.session({ userId: 'a' })] as const;
    await sessions[0].query('x');
    await sessions[0].close();
    await sessions[1].query('y');
    expect(log).toEqual(['a (user): query x', 'a (user): end', 'a (user): query y']);
    await db.close();
  });

  test.each(['', 'a:b', 'a\0b', 'system', '\u{1f600}'])('takes the id %j as it is', async (userId) => {
    const db = await open();
    await db.session({ userId }).query('x');
    expect(log).toEqual([`${userId} (user): query x`]);
    await db.close();
  });

  test('has the defaults of the database, or its own', async () => {
    const db = await open({ rowMode: 'array' });
    expect((await db.session({ userId: 'a' }).query('x')).rows).toEqual([['x']]);
    expect((await db.session({ userId: 'a' }, { rowMode: 'object' }).query('x')).rows).toEqual([{ text: 'x' }]);
    await db.close();
  });

  const wrong: [string, (db: KalamDB) => Session][] = [
    ['no user', (db) => db.session(undefined as never)],
    ['a user that is a string', (db) => db.session('alice' as never)],
    ['an id that is a number', (db) => db.session({ userId: 1 as never })],
    ['no id', (db) => db.session({} as never)],
    ['an unknown role', (db) => db.session({ userId: 'a', role: 'root' as never })],
    ['an unknown row mode', (db) => db.session({ userId: 'a' }, { rowMode: 'map' as never })],
    ['options that are no object', (db) => db.session({ userId: 'a' }, 'x' as never)],
  ];
  test.each(wrong)('with %s is a TypeError', async (_, make) => {
    const db = await open();
    expect(() => make(db)).toThrow(TypeError);
    await db.close();
  });

  test('with a lone surrogate in the id is refused', async () => {
    const db = await open();
    expect(() => db.session({ userId: 'a\ud83d' })).toThrow(
      expect.objectContaining({ code: 'character_not_in_repertoire' }),
    );
    await db.close();
  });

  test('closes once, after its calls in flight, and ends', async () => {
    const db = await open();
    const session = db.session({ userId: 'a' });
    const waiting = session.query('wait one');
    const closed = session.close();
    expect(session.close()).toBe(closed);
    await expect(session.query('late')).rejects.toMatchObject({ code: 'database_closed', hint: expect.any(String) });
    await expect(session.transaction(() => 1)).rejects.toMatchObject({ code: 'database_closed' });
    release('one');
    expect((await waiting).rows).toEqual([{ text: 'wait one' }]);
    await closed;
    expect(log).toEqual(['a (user): query wait one', 'a (user): end']);
    expect((await db.query('x')).rows).toEqual([{ text: 'x' }]);
    await db.close();
  });

  test('closes at the end of a block, also when nothing was asked of it', async () => {
    const db = await open();
    const session = db.session({ userId: 'a' });
    await session[Symbol.asyncDispose]();
    await expect(session.exec('x')).rejects.toMatchObject({ code: 'database_closed' });
    expect(log).toEqual([]);
    await db.close();
  });

  test('dies with its database', async () => {
    const db = await open();
    const session = db.session({ userId: 'a' });
    await session.query('x');
    await db.close();
    expect(log).toEqual(['a (user): query x', 'close a', 'a (user): end', 'free']);
    await expect(session.query('x')).rejects.toMatchObject({ code: 'database_closed' });
    expect(() => db.session({ userId: 'a' })).toThrow(expect.objectContaining({ code: 'database_closed' }));
    await session.close();
  });

  test('is there again after a crash', async () => {
    const db = await open();
    const session = db.session({ userId: 'a' });
    const other = db.session({ userId: 'b' });
    await other.query('x');
    await expect(session.query('trap')).rejects.toMatchObject({ code: 'engine_crashed', retryable: true });
    log.length = 0;
    expect((await session.query('y')).rows).toEqual([{ text: 'y' }]);
    expect((await other.query('z')).rows).toEqual([{ text: 'z' }]);
    expect(log).toEqual(['open a relaxed', 'a (user): query y', 'b (user): query z']);
    await expect(session.query('trap')).rejects.toMatchObject({ code: 'engine_crashed' });
    await session.close();
    await db.close();
  });
});

describe('a prepared statement', () => {
  test('runs in the session that it was made in', async () => {
    const db = await open();
    const session = db.session({ userId: 'a' });
    const statement = session.prepare('x $1');
    expect((await statement.run([1])).rows).toEqual([{ text: 'x $1' }]);
    expect(await statement.all([1])).toEqual([{ text: 'x $1' }]);
    expect(await statement.get([1])).toEqual({ text: 'x $1' });
    const rows: unknown[] = [];
    for await (const row of statement.iterate([1])) rows.push(row);
    expect(rows).toEqual([{ text: 'x $1' }]);
    expect(log).toEqual(Array(4).fill('a (user): query x $1'));
    await db.close();
  });

  test('has options, and takes a tagged statement', async () => {
    const db = await open();
    expect(await db.prepare(sql`y ${5}`, { rowMode: 'array' }).get()).toEqual(['y $1']);
    await db.close();
  });

  test('rejects every call after it was closed', async () => {
    const db = await open();
    const statement = db.prepare('x');
    await statement.close();
    await statement[Symbol.asyncDispose]();
    for (const call of [statement.run(), statement.all(), statement.get(), statement.iterate().next()])
      await expect(call).rejects.toMatchObject({ code: 'undefined_object', hint: 'prepare it again' });
    await db.close();
    expect(() => db.prepare('x')).toThrow(expect.objectContaining({ code: 'database_closed' }));
  });

  test('of a wrong shape is refused', async () => {
    const db = await open();
    expect(() => db.prepare(1 as never)).toThrow(TypeError);
    expect(() => db.prepare('x', { int64: 'some' as never })).toThrow(TypeError);
    expect(() => db.prepare('\ud83d')).toThrow(expect.objectContaining({ code: 'character_not_in_repertoire' }));
    await expect(db.prepare('x').all(1 as never)).rejects.toBeInstanceOf(TypeError);
    await db.close();
  });
});
