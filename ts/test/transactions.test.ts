import { beforeEach, describe, expect, test } from 'vitest';
import { KalamDB, type OpenOptions, sql, type Transaction } from '../api/index.js';
import { conflicts, log, release, TRAP_WASM } from './fake-engine.js';

const PAGE: OpenOptions = { worker: false, wasmUrl: TRAP_WASM };

beforeEach(() => {
  conflicts.left = 0;
});

async function open(options: OpenOptions = {}): Promise<KalamDB> {
  const db = await KalamDB.open('a', { ...PAGE, ...options });
  log.length = 0;
  return db;
}

describe('a transaction', () => {
  test('commits when the callback resolves, and gives its value', async () => {
    const db = await open();
    const value = await db.transaction(async (tx) => {
      expect((await tx.query('x')).rows).toEqual([{ text: 'x' }]);
      expect(await tx.queryOne(sql`y ${1}`)).toEqual({ text: 'y $1' });
      expect(await tx.exec('z')).toHaveLength(1);
      await tx.insert('t', [{ a: 1 }]);
      return 7;
    });
    expect(value).toBe(7);
    expect(log).toEqual([
      'tx: begin',
      'tx: query x',
      'tx: query y $1',
      'tx: query z',
      'tx: insert t a',
      'tx: COMMIT relaxed',
      'tx: end',
    ]);
    await db.close();
  });

  test('counts as kept when it is committed', async () => {
    const db = await open();
    expect(db.durableSeq).toBe(0);
    const session = db.session({ userId: 'a' });
    await session.transaction((tx) => tx.query('x').then(() => expect(db.durableSeq).toBe(0)));
    expect(db.durableSeq).toBe(12);
    await db.insert('t', [{ a: 1 }]);
    expect(db.durableSeq, 'it never falls').toBe(12);
    await db.close();
  });

  test('of a session is one of its user', async () => {
    const db = await open();
    await db.session({ userId: 'a' }).transaction((tx) => tx.query('x'));
    expect(log.slice(0, 2)).toEqual(['a (user): tx: begin', 'a (user): tx: query x']);
    await db.close();
  });

  test('is as durable as asked for', async () => {
    const db = await open({ durability: 'strict' });
    await db.transaction(() => 1);
    await db.transaction(() => 1, { durability: 'relaxed' });
    expect(log.filter((line) => line.includes('COMMIT'))).toEqual(['tx: COMMIT strict', 'tx: COMMIT relaxed']);
    await db.close();
  });

  test('is undone when the callback throws, and passes the error on', async () => {
    const db = await open();
    const mine = new Error('mine');
    const sync = db.transaction(() => {
      throw mine;
    });
    await expect(sync).rejects.toBe(mine);
    await expect(db.transaction((tx) => tx.query('fail'))).rejects.toMatchObject({ code: 'undefined_table' });
    expect(log).toEqual(['tx: begin', 'tx: rollback', 'tx: end', 'tx: begin', 'tx: rollback', 'tx: end']);
    await db.close();
  });

  test('is undone by hand, and the callback goes on', async () => {
    const db = await open();
    const value = await db.transaction(async (tx) => {
      await tx.query('x');
      await tx.rollback();
      await expect(tx.query('y')).rejects.toMatchObject({ code: 'invalid_transaction_state' });
      await expect(tx.rollback()).rejects.toMatchObject({ code: 'invalid_transaction_state' });
      return 'undone';
    });
    expect(value).toBe('undone');
    expect(log).toEqual(['tx: begin', 'tx: query x', 'tx: rollback', 'tx: end']);
    await db.close();
  });

  test('takes no calls after its end, and says what to do', async () => {
    const db = await open();
    let kept: Transaction | undefined;
    await db.transaction((tx) => {
      kept = tx;
    });
    const tx = kept as unknown as Transaction;
    const calls = [
      tx.query('x'),
      tx.queryOne('x'),
      tx.exec('x'),
      tx.insert('t', [{ a: 1 }]),
      tx.rollback(),
      tx.transaction(() => 1),
    ];
    for (const call of calls)
      await expect(call).rejects.toMatchObject({
        code: 'invalid_transaction_state',
        sqlState: '25000',
        hint: expect.stringContaining('transaction()'),
      });
    await db.close();
  });

  test('waits for the calls that the callback did not wait for', async () => {
    const db = await open();
    const done = db.transaction((tx) => {
      void tx.query('wait late');
    });
    await expect.poll(() => release('late')).toBe(true);
    await done;
    expect(log).toEqual(['tx: begin', 'tx: query wait late', 'tx: COMMIT relaxed', 'tx: end']);
    await db.close();
  });

  test('whose callback goes on after a failure was rolled back, and says so', async () => {
    const db = await open();
    const done = db.transaction(async (tx) => {
      await tx.query('fail').catch(() => undefined);
      return 'all is well';
    });
    await expect(done).rejects.toMatchObject({
      code: 'in_failed_transaction',
      cause: expect.objectContaining({ code: 'undefined_table' }),
    });
    expect(log).toEqual(['tx: begin', 'tx: ROLLBACK relaxed', 'tx: end']);
    await db.close();
  });

  const wrong: [string, (db: KalamDB) => Promise<unknown>][] = [
    ['no callback', (db) => db.transaction('x' as never)],
    ['options that are no object', (db) => db.transaction(() => 1, 3 as never)],
    ['an unknown durability', (db) => db.transaction(() => 1, { durability: 'some' as never })],
    ['a negative number of retries', (db) => db.transaction(() => 1, { retries: -1 })],
    ['half a retry', (db) => db.transaction(() => 1, { retries: 0.5 })],
    ['no nested callback', (db) => db.transaction((tx) => tx.transaction(1 as never))],
    ['a batch that is no array', (db) => db.batch('x' as never)],
    ['a batch of texts', (db) => db.batch(['x' as never])],
    ['a batch with parameters that are no array', (db) => db.batch([{ sql: 'x', params: 1 as never }])],
    ['a batch without a text', (db) => db.batch([{ params: [] } as never])],
    ['an unknown row mode of a batch', (db) => db.batch([], { rowMode: 'map' as never })],
  ];
  test.each(wrong)('with %s is a TypeError', async (_, call) => {
    const db = await open();
    await expect(call(db)).rejects.toBeInstanceOf(TypeError);
    expect(log.filter((line) => line.includes('COMMIT'))).toEqual([]);
    await db.close();
  });
});

describe('a conflict', () => {
  test('at the commit runs the callback again', async () => {
    const db = await open();
    conflicts.left = 2;
    let runs = 0;
    expect(await db.transaction(() => ++runs)).toBe(3);
    expect(log.filter((line) => !line.endsWith('end'))).toEqual([
      'tx: begin',
      'tx: conflict',
      'tx: begin',
      'tx: conflict',
      'tx: begin',
      'tx: COMMIT relaxed',
    ]);
    await db.close();
  });

  test.each([
    ['three times by default', undefined, 4],
    ['not at all', 0, 1],
    ['once', 1, 2],
  ])('is met again %s', async (_, retries, expected) => {
    const db = await open();
    conflicts.left = 100;
    let runs = 0;
    const done = db.transaction(() => ++runs, retries === undefined ? {} : { retries });
    await expect(done).rejects.toMatchObject({ code: 'serialization_failure', retryable: true });
    expect(runs).toBe(expected);
    await db.close();
  });

  test.each(['passed on', 'kept'])('in a statement, %s by the callback, runs it again', async (what) => {
    const db = await open();
    let runs = 0;
    const value = await db.transaction(async (tx) => {
      runs += 1;
      const call = tx.query(runs === 1 ? 'conflict' : 'x');
      await (what === 'kept' ? call.catch(() => undefined) : call);
      return runs;
    });
    expect(value).toBe(2);
    await db.close();
  });

  test('is no reason to run again when the callback throws something else', async () => {
    const db = await open();
    let runs = 0;
    const mine = new Error('mine');
    const done = db.transaction(async () => {
      runs += 1;
      throw mine;
    });
    await expect(done).rejects.toBe(mine);
    expect(runs).toBe(1);
    await db.close();
  });
});

describe('a nested transaction', () => {
  test('is a savepoint that is released', async () => {
    const db = await open();
    const value = await db.transaction(async (tx) => {
      const inner = await tx.transaction(async (nested) => {
        await nested.query('x');
        return 1;
      });
      await tx.query('y');
      return inner + 1;
    });
    expect(value).toBe(2);
    expect(log).toEqual([
      'tx: begin',
      'tx: query SAVEPOINT kalamdb_nested_1',
      'tx: query x',
      'tx: query RELEASE kalamdb_nested_1',
      'tx: query y',
      'tx: COMMIT relaxed',
      'tx: end',
    ]);
    await db.close();
  });

  test('is undone by itself, by an error and by hand', async () => {
    const db = await open();
    await db.transaction(async (tx) => {
      const failed = tx.transaction((nested) => nested.query('fail'));
      await expect(failed).rejects.toMatchObject({ code: 'undefined_table' });
      await tx.transaction((nested) => nested.rollback());
      await tx.query('x');
    });
    expect(log).toEqual([
      'tx: begin',
      'tx: query SAVEPOINT kalamdb_nested_1',
      'tx: query ROLLBACK TO kalamdb_nested_1; RELEASE kalamdb_nested_1',
      'tx: query SAVEPOINT kalamdb_nested_2',
      'tx: query ROLLBACK TO kalamdb_nested_2; RELEASE kalamdb_nested_2',
      'tx: query x',
      'tx: COMMIT relaxed',
      'tx: end',
    ]);
    await db.close();
  });

  test('whose callback goes on after a failure is undone, and says so', async () => {
    const db = await open();
    await db.transaction(async (tx) => {
      const failed = tx.transaction(async (nested) => {
        await nested.query('fail').catch(() => undefined);
      });
      await expect(failed).rejects.toMatchObject({ code: 'in_failed_transaction' });
      await tx.query('x');
    });
    expect(log.at(-2)).toBe('tx: COMMIT relaxed');
    await db.close();
  });

  test('is the only one that takes calls', async () => {
    const db = await open();
    await db.transaction(async (tx) => {
      await tx.transaction(async (nested) => {
        for (const call of [tx.query('x'), tx.rollback(), tx.transaction(() => 1)])
          await expect(call).rejects.toMatchObject({ code: 'invalid_transaction_state', hint: expect.any(String) });
        await nested.transaction((third) => third.query('deep'));
      });
    });
    expect(log).toContain('tx: query deep');
    await db.close();
  });

  test('is waited for', async () => {
    const db = await open();
    await db.transaction((tx) => {
      void tx.transaction((nested) => nested.query('x'));
    });
    expect(log.slice(-3)).toEqual(['tx: query RELEASE kalamdb_nested_1', 'tx: COMMIT relaxed', 'tx: end']);
    await db.close();
  });
});

describe('in the middle of a transaction', () => {
  test('closing the database lets nothing be committed', async () => {
    const db = await open();
    const done = db.transaction(async (tx) => {
      await tx.query('x');
      await db.close();
      await tx.query('y');
    });
    await expect(done).rejects.toMatchObject({ code: 'database_closed' });
    expect(log).toEqual(['tx: begin', 'tx: query x', 'close a', 'end', 'tx: end', 'free']);
  });

  test('closing the session undoes it', async () => {
    const db = await open();
    const session = db.session({ userId: 'a' });
    const done = session.transaction(async (tx) => {
      await tx.query('x');
      await session.close();
    });
    await expect(done).rejects.toMatchObject({ code: 'database_closed' });
    expect(log.filter((line) => line.includes('COMMIT'))).toEqual([]);
    await db.close();
  });

  test('a crash ends it: what is pending rejects, and no other engine is asked', async () => {
    const db = await open();
    let runs = 0;
    const done = db.transaction(async (tx) => {
      runs += 1;
      const outcomes = await Promise.allSettled([tx.query('wait for ever'), tx.query('trap')]);
      expect(outcomes).toMatchObject(Array(2).fill({ status: 'rejected', reason: { code: 'engine_crashed' } }));
      log.length = 0;
      await db.query('in a new engine');
      await expect(tx.query('x')).rejects.toMatchObject({ code: 'engine_crashed' });
    });
    await expect(done).rejects.toMatchObject({ code: 'engine_crashed' });
    expect(runs).toBe(1);
    expect(log).toEqual(['open a relaxed', 'query in a new engine']);
    await db.close();
  });
});

describe('a batch', () => {
  test('is one transaction with a result for each statement', async () => {
    const db = await open();
    const results = await db.batch([{ sql: 'x' }, { sql: 'y $1', params: [1] }, sql`z ${2}`], {
      rowMode: 'array',
      durability: 'strict',
    });
    expect(results.map(({ rows }) => rows)).toEqual([[['x']], [['y $1']], [['z $1']]]);
    expect(log).toEqual([
      'tx: begin',
      'tx: query x',
      'tx: query y $1',
      'tx: query z $1',
      'tx: COMMIT strict',
      'tx: end',
    ]);
    await db.close();
  });

  test('does nothing when one of them fails, and begins nothing when one is malformed', async () => {
    const db = await open();
    const failed = db.batch([{ sql: 'x' }, { sql: 'fail' }, { sql: 'y' }]);
    await expect(failed).rejects.toMatchObject({ code: 'undefined_table' });
    expect(log).toEqual(['tx: begin', 'tx: query x', 'tx: rollback', 'tx: end']);
    log.length = 0;
    const malformed = db.batch([{ sql: 'x' }, { sql: '\ud83d' }]);
    await expect(malformed).rejects.toMatchObject({ code: 'character_not_in_repertoire' });
    expect(log).toEqual([]);
    await db.close();
  });

  test('is run again after a conflict', async () => {
    const db = await open();
    conflicts.left = 1;
    expect(await db.batch([{ sql: 'x' }])).toHaveLength(1);
    await db.close();
  });
});
