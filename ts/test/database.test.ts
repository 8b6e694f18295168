import { beforeEach, describe, expect, test } from 'vitest';
import { isKalamDBError, KalamDB, type OpenOptions, sql } from '../api/index.js';
import { broken, log, release, TRAP_WASM } from './fake-engine.js';

const PAGE: OpenOptions = { worker: false, wasmUrl: TRAP_WASM };
const noStorage = {
  code: 'storage_unavailable',
  sqlState: 'ZB002',
  message: 'private mode',
  retryable: false,
} as const;

beforeEach(() => {
  log.length = 0;
  broken.clear();
});

const first = async (db: KalamDB, text: string): Promise<unknown> => (await db.query(text)).rows[0];

describe('calls', () => {
  test('go to the engine and are decoded', async () => {
    const db = await KalamDB.open('a', { ...PAGE, durability: 'strict' });
    expect(await db.query('hello')).toMatchObject({ rows: [{ text: 'hello' }], rowCount: 1, command: 'SELECT' });
    expect(await db.query('hello', [], { rowMode: 'array' })).toMatchObject({ rows: [['hello']] });
    expect(await db.queryOne(sql`hi ${1}`)).toEqual({ text: 'hi $1' });
    expect(await db.exec('both')).toMatchObject([{ rows: [{ text: 'both' }] }]);
    expect(await db.insert('t', [{ a: 1 }])).toEqual({ affectedRows: 1, seq: 9 });
    expect(await db.insert('t', [])).toEqual({ affectedRows: 0, seq: null });
    expect(db.durableSeq).toBe(9);
    expect(log).toEqual(['open a strict', 'query hello', 'query hello', 'query hi $1', 'query both', 'insert t a']);
    expect(db.mode).toBe('indexeddb');
    await db.close();
  });

  test('that insert by one statement, sent without waiting, are one call of the engine', async () => {
    const db = await KalamDB.open('a', PAGE);
    await db.query('first');
    log.length = 0;
    const sent = ['INSERT a', 'INSERT a', 'INSERT a', 'x', 'x', 'INSERT b'];
    const results = await Promise.all(sent.map((text) => db.query(text)));
    expect(results.map(({ rows }) => rows[0])).toEqual(sent.map((text) => ({ text })));
    // The first has gone before there were others.
    expect(log).toContain('insert 2');
    expect(log.filter((line) => line.startsWith('query')).sort()).toEqual(sent.map((text) => `query ${text}`).sort());
    await db.close();
  });

  test('have the defaults that the database was opened with', async () => {
    const db = await KalamDB.open('a', { ...PAGE, rowMode: 'array' });
    expect(await first(db, 'x')).toEqual(['x']);
    expect(await db.queryOne('x', [], { rowMode: 'object' })).toEqual({ text: 'x' });
    await db.close();
  });

  test('reject with the error of the engine', async () => {
    const db = await KalamDB.open('a', PAGE);
    const error: unknown = await db.query('fail').catch((caught: unknown) => caught);
    expect(isKalamDBError(error)).toBe(true);
    expect(error).toMatchObject({ name: 'KalamDBError', code: 'undefined_table', sqlState: '42P01', position: 3 });
    expect(await first(db, 'still here')).toEqual({ text: 'still here' });
    await db.close();
  });

  const wrong: [string, (db: KalamDB) => Promise<unknown>][] = [
    ['SQL that is no string', (db) => db.query(5 as never)],
    ['parameters that are no array', (db) => db.query('x', 'y' as never)],
    ['a statement with parameters in exec', (db) => db.exec(sql`x` as never)],
    ['an unknown row mode', (db) => db.query('x', [], { rowMode: 'map' as never })],
    ['rows that are no array', (db) => db.insert('t', 'rows' as never)],
    ['a table that is no string', (db) => db.insert(null as never, [])],
    ['a name that is no string', () => KalamDB.open(1 as never)],
    ['an unknown durability', () => KalamDB.open('a', { ...PAGE, durability: 'some' as never })],
    ['a memory limit of zero', () => KalamDB.open('a', { ...PAGE, memoryLimitBytes: 0 })],
    ['values of half a byte', () => KalamDB.open('a', { ...PAGE, valueLimitBytes: 0.5 })],
  ];
  test.each(wrong)('with %s reject with a TypeError', async (_, call) => {
    const db = await KalamDB.open('a', PAGE);
    await expect(call(db)).rejects.toBeInstanceOf(TypeError);
    await db.close();
  });

  test('with a lone surrogate in the SQL text say where it is', async () => {
    const db = await KalamDB.open('a', PAGE);
    const expected = { code: 'character_not_in_repertoire', position: 9, line: 2, column: 4 };
    await expect(db.query('12345\nabc\udc00')).rejects.toMatchObject(expected);
    await expect(db.exec('12345\nabc\udc00')).rejects.toMatchObject(expected);
    await db.close();
  });
});

describe('closing', () => {
  test('waits for calls in flight, happens once, and ends everything', async () => {
    const db = await KalamDB.open('a', PAGE);
    const waiting = db.query('wait one');
    const closed = db.close();
    expect(db.close()).toBe(closed);
    await expect(db.query('late')).rejects.toMatchObject({ code: 'database_closed', sqlState: '08003' });
    release('one');
    expect((await waiting).rows).toEqual([{ text: 'wait one' }]);
    await closed;
    expect(log).toEqual(['open a relaxed', 'query wait one', 'close a', 'end', 'free']);
    await expect(db.insert('t', [])).rejects.toMatchObject({ code: 'database_closed' });
    await expect(db.exec('late')).rejects.toMatchObject({ code: 'database_closed' });
  });

  test('happens at the end of a block', async () => {
    const db = await KalamDB.open('a', PAGE);
    await db[Symbol.asyncDispose]();
    expect(log).toContain('close a');
  });
});

describe('storage that is not there', () => {
  test('makes open reject', async () => {
    broken.set('a', noStorage);
    await expect(KalamDB.open('a', PAGE)).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: 'private mode',
    });
  });

  test('gives a database in memory when that was asked for', async () => {
    broken.set('a', noStorage);
    const db = await KalamDB.open('a', { ...PAGE, onStorageUnavailable: 'memory' });
    expect(db.mode).toBe('memory');
    expect(log).toEqual(['open memory: relaxed']);
    await db.close();
  });
});

describe('a crash', () => {
  test.each(['trap', 'trap-later'])('by %s rejects what is pending, and the next call opens again', async (command) => {
    const db = await KalamDB.open('a', PAGE);
    const other = await KalamDB.open('b', PAGE);
    const pending = [db.query('wait for ever'), other.query('wait for ever'), db.query(command)];
    const outcomes = await Promise.allSettled(pending);
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason)).toEqual(
      pending.map(() => expect.objectContaining({ code: 'engine_crashed', sqlState: 'ZB003', retryable: true })),
    );
    log.length = 0;
    expect(await Promise.all([first(db, 'x'), first(db, 'y')])).toEqual([{ text: 'x' }, { text: 'y' }]);
    expect(log).toEqual(['open a relaxed', 'query x', 'query y']);
    await db.close();
    await other.close();
    expect(log.filter((line) => line.startsWith('close'))).toEqual(['close a']);
  });

  test('is the end of a database in memory', async () => {
    const db = await KalamDB.open('memory:', PAGE);
    await expect(db.query('trap')).rejects.toMatchObject({ code: 'engine_crashed' });
    await expect(db.query('x')).rejects.toMatchObject({ code: 'engine_crashed' });
    await db.close();
  });

  test('during closing does not matter', async () => {
    const db = await KalamDB.open('a', PAGE);
    const lost = expect(db.query('trap')).rejects.toMatchObject({ code: 'engine_crashed' });
    await db.close();
    await lost;
  });

  test('and a database that cannot be opened again says why, every time', async () => {
    const db = await KalamDB.open('a', PAGE);
    await expect(db.query('trap')).rejects.toMatchObject({ code: 'engine_crashed' });
    broken.set('a', noStorage);
    await expect(db.query('x')).rejects.toMatchObject({ code: 'storage_unavailable' });
    broken.clear();
    expect(await first(db, 'x')).toEqual({ text: 'x' });
    await db.close();
  });
});

describe('loading', () => {
  const unloadable: [string, string][] = [
    ['a URL without a scheme that can be fetched', 'nowhere:/kalamdb.wasm'],
    ['something that is no module', 'data:text/html,<p>'],
  ];
  test.each(unloadable)('%s rejects with its URL', async (_, wasmUrl) => {
    await expect(KalamDB.open('a', { worker: false, wasmUrl })).rejects.toMatchObject({
      code: 'engine_crashed',
      message: expect.stringContaining(wasmUrl),
    });
  });
});

test('deleting goes to the engine', async () => {
  await KalamDB.delete('a', PAGE);
  expect(log).toEqual(['delete a']);
});
