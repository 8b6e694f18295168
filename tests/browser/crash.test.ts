import { KalamDB } from 'kalamdb';
import wasm from 'kalamdb/kalamdb.wasm?url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { column, failureOf, withName } from './support.js';

/** What is known of the engines of a test. */
interface Engines {
  /** Kills the engine of the database that was opened last. */
  kill(): void;
  /** How many there have been. */
  count(): number;
}

/** Engines in workers. */
interface WorkerEngines extends Engines {
  /** Resolves when the worker that was started last has told of the death of its engine. */
  crashed(): Promise<void>;
}

/** Workers are asked to trap by the message that the package has for that. */
function watchWorkers(): WorkerEngines {
  const workers: Worker[] = [];
  const RealWorker = Worker;
  vi.stubGlobal(
    'Worker',
    class extends RealWorker {
      constructor(url: string | URL, options?: WorkerOptions) {
        super(url, options);
        workers.push(this);
      }
    },
  );
  return {
    kill: () => workers.at(-1)?.postMessage({ type: 'calls', calls: [{ id: 0, call: { kind: 'crash' } }] }),
    count: () => workers.length,
    crashed: () =>
      new Promise((resolve) => {
        workers.at(-1)?.addEventListener('message', ({ data }) => {
          for (const { type, event } of data) if (type === 'event' && event.kind === 'crashed') resolve();
        });
      }),
  };
}

/** In the page, the next entry into the instance traps. */
function watchInstances(): Engines {
  let armed = false;
  let n = 0;
  const instantiate = WebAssembly.instantiate;
  vi.spyOn(WebAssembly, 'instantiate').mockImplementation((async (
    module: WebAssembly.Module,
    imports: WebAssembly.Imports,
  ) => {
    const { exports } = await instantiate(module, imports);
    n += 1;
    const trapping = Object.entries(exports).map(([name, value]) => {
      if (typeof value !== 'function') return [name, value];
      const call = (...args: unknown[]): unknown => {
        if (!armed) return value(...args);
        armed = false;
        return (exports['crash'] as () => void)();
      };
      return [name, call];
    });
    return { exports: Object.fromEntries(trapping) };
  }) as never);
  return {
    kill: () => {
      armed = true;
    },
    count: () => n,
  };
}

async function openRaw(name: string): Promise<IDBDatabase> {
  return settled(indexedDB.open(`kalamdb/${name}`));
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** The keys of all records of a database. */
async function storedKeys(name: string): Promise<IDBValidKey[][]> {
  const database = await openRaw(name);
  const stores = [...database.objectStoreNames];
  const transaction = database.transaction(stores);
  const keys = await Promise.all(stores.map((store) => settled(transaction.objectStore(store).getAllKeys())));
  database.close();
  return keys;
}

/** Keeps all others from writing to a database until the function is called that this gives. */
async function holdUp(name: string): Promise<() => Promise<void>> {
  const database = await openRaw(name);
  const stores = [...database.objectStoreNames];
  const transaction = database.transaction(stores, 'readwrite');
  const ended = new Promise<void>((resolve) => {
    transaction.oncomplete = () => resolve();
  });
  let isHeld = true;
  await new Promise<void>((resolve) => {
    // It goes on as long as there are requests, and has begun when the first is done.
    const ask = (): void => {
      transaction.objectStore(stores[0] as string).count().onsuccess = () => {
        resolve();
        if (isHeld) ask();
      };
    };
    ask();
  });
  return async () => {
    isHeld = false;
    await ended;
    database.close();
  };
}

const WAYS = [
  { where: 'worker', worker: true, watch: watchWorkers },
  { where: 'page', worker: false, watch: watchInstances },
];

describe.each(WAYS)('when the engine in the $where crashes', ({ worker, watch }) => {
  let kill: Engines['kill'];
  let count: Engines['count'];
  let options: { worker: boolean; wasmUrl: string };
  beforeEach(() => {
    ({ kill, count } = watch());
    // The page keeps an instance for each URL, and the one of this test must be a new one.
    options = { worker, wasmUrl: `${wasm}?test=${crypto.randomUUID()}` };
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  test('everything pending rejects, and the next call finds what was committed', async () => {
    await withName(options, async (name) => {
      const db = await KalamDB.open(name, options);
      await db.exec('CREATE TABLE t (id INT PRIMARY KEY)');
      await db.insert('t', [{ id: 1 }, { id: 2 }]);
      kill();
      const errors = await Promise.all([
        failureOf(db.query('SELECT 1')),
        failureOf(db.exec('SELECT 2')),
        failureOf(db.insert('t', [{ id: 3 }])),
      ]);
      for (const error of errors)
        expect(error).toMatchObject({
          code: 'engine_crashed',
          sqlState: 'ZB003',
          retryable: true,
          cause: { name: 'RuntimeError' },
        });
      expect(await column(db, 'SELECT id FROM t ORDER BY id')).toEqual([1, 2]);
      expect(await db.insert('t', [{ id: 3 }])).toMatchObject({ affectedRows: 1 });
      await db.close();
    });
  });

  test('calls after the crash share one new engine', async () => {
    await withName(options, async (name) => {
      const db = await KalamDB.open(name, options);
      await db.exec('CREATE TABLE t (id INT PRIMARY KEY)');
      kill();
      await failureOf(db.query('SELECT 1'));
      const before = count();
      const ids = [1, 2, 3];
      await Promise.all(ids.map((id) => db.insert('t', [{ id }])));
      expect(count()).toBe(before + 1);
      expect(await column(db, 'SELECT id FROM t ORDER BY id')).toEqual(ids);
      await db.close();
    });
  });

  test('a transaction is gone, and the sessions of users go on', async () => {
    await withName(options, async (name) => {
      const db = await KalamDB.open(name, options);
      await db.exec('CREATE USER TABLE t (id INT PRIMARY KEY)');
      const session = db.session({ userId: 'a' });
      await session.insert('t', [{ id: 1 }]);
      let runs = 0;
      const done = session.transaction(async (tx) => {
        runs += 1;
        await tx.query('INSERT INTO t VALUES (2)');
        kill();
        expect(await failureOf(tx.query('INSERT INTO t VALUES (3)'))).toMatchObject({ code: 'engine_crashed' });
        expect(await column(session, 'SELECT id FROM t')).toEqual([1]);
        expect(await failureOf(tx.query('SELECT 1'))).toMatchObject({ code: 'engine_crashed' });
      });
      expect(await failureOf(done)).toMatchObject({ code: 'engine_crashed', retryable: true });
      expect(runs).toBe(1);
      expect(await column(session, 'SELECT id FROM t')).toEqual([1]);
      expect(await column(db, 'SELECT id FROM t')).toEqual([]);
      await db.close();
    });
  });

  test('a transaction in SQL is not taken for none', async () => {
    await withName(options, async (name) => {
      const db = await KalamDB.open(name, options);
      await db.exec('CREATE TABLE t (id INT PRIMARY KEY)');
      const [one, other] = [db.session({ userId: 'a', role: 'dba' }), db.session({ userId: 'b' })];
      await one.exec('BEGIN; INSERT INTO t VALUES (1); SAVEPOINT s; ROLLBACK TO s');
      kill();
      await failureOf(other.query('SELECT 1'));
      // Nothing of it may be kept by itself.
      for (const statement of ['INSERT INTO t VALUES (2)', 'SELECT 1', 'SAVEPOINT s'])
        expect(await failureOf(one.query(statement))).toMatchObject({ code: 'in_failed_transaction' });
      expect((await one.query('COMMIT')).command).toBe('ROLLBACK');
      await one.query('INSERT INTO t VALUES (3)');
      expect(await column(db, 'SELECT id FROM t')).toEqual([3]);
      // One that has ended is not missed.
      await one.exec('BEGIN; INSERT INTO t VALUES (4); COMMIT');
      kill();
      await failureOf(other.query('SELECT 1'));
      await one.query('INSERT INTO t VALUES (5)');
      expect(await column(db, 'SELECT id FROM t ORDER BY id')).toEqual([3, 4, 5]);
      await db.close();
    });
  });

  test('nothing is stored of a change that was under way', async () => {
    await withName(options, async (name) => {
      const db = await KalamDB.open(name, options);
      await db.exec('CREATE TABLE t (id INT PRIMARY KEY)');
      const before = await storedKeys(name);
      const release = await holdUp(name);
      const changing = failureOf(db.exec('CREATE TABLE u (id INT PRIMARY KEY)'));
      // Once this has its answer the other one waits for the browser, and that for us.
      await db.query('SELECT 1');
      kill();
      await failureOf(db.query('SELECT 2'));
      expect(await changing).toMatchObject({ code: 'engine_crashed' });
      await release();
      expect(await storedKeys(name)).toEqual(before);
      expect(await failureOf(db.query('SELECT * FROM u'))).toMatchObject({ code: 'undefined_table' });
      await db.exec('CREATE TABLE u (id INT PRIMARY KEY)');
      expect(await db.check()).toMatchObject({ ok: true });
      await db.close();
    });
  });

  test('a database in memory is lost and says so', async () => {
    const db = await KalamDB.open('memory:', options);
    kill();
    expect(await failureOf(db.query('SELECT 1'))).toMatchObject({ code: 'engine_crashed' });
    expect(await failureOf(db.query('SELECT 1'))).toMatchObject({ code: 'engine_crashed' });
    await db.close();
    expect(await failureOf(db.query('SELECT 1'))).toMatchObject({ code: 'database_closed' });
  });
});

test('a worker that crashes while nothing is asked of it fails no call', async () => {
  const { kill, count, crashed } = watchWorkers();
  try {
    await withName({}, async (name) => {
      const db = await KalamDB.open(name);
      await db.exec('CREATE TABLE t (id INT PRIMARY KEY)');
      await db.insert('t', [{ id: 1 }]);
      const told = crashed();
      kill();
      await told;
      expect(await column(db, 'SELECT id FROM t')).toEqual([1]);
      expect(count()).toBe(2);
      await db.close();
    });
  } finally {
    vi.unstubAllGlobals();
  }
});

test('an engine in the page that crashes while it makes a database leaves none', async () => {
  const { kill } = watchInstances();
  const open = IDBFactory.prototype.open;
  const opened = vi.spyOn(IDBFactory.prototype, 'open').mockImplementation(function (this: IDBFactory, ...args) {
    const request = open.apply(this, args);
    // Before the engine, which has yet to listen.
    request.addEventListener('upgradeneeded', kill);
    return request;
  });
  try {
    const options = { worker: false, wasmUrl: `${wasm}?test=${crypto.randomUUID()}` };
    await withName(options, async (name) => {
      expect(await failureOf(KalamDB.open(name, options))).toMatchObject({ code: 'engine_crashed' });
      opened.mockRestore();
      const db = await KalamDB.open(name, options);
      await db.exec('CREATE TABLE t (id INT PRIMARY KEY)');
      expect(await column(db, 'SELECT id FROM t')).toEqual([]);
      await db.close();
    });
  } finally {
    vi.restoreAllMocks();
  }
});

describe('a part of the package that is not there', () => {
  const nowhere = new URL('/nowhere/', location.href).href;

  test('the module', async () => {
    const wasmUrl = `${nowhere}kalamdb.wasm`;
    for (const worker of [true, false])
      expect(await failureOf(KalamDB.open('memory:', { worker, wasmUrl }))).toMatchObject({
        code: 'engine_crashed',
        message: expect.stringContaining(wasmUrl),
      });
  });

  test('the script of the worker', async () => {
    const workerUrl = `${nowhere}kalamdb-worker.js`;
    expect(await failureOf(KalamDB.open('memory:', { workerUrl }))).toMatchObject({
      code: 'engine_crashed',
      message: expect.stringContaining(workerUrl),
    });
  });
});
