// One of the pages that write at the same time while their engines are killed. It keeps account of its writes by itself: to tell
// the test of each would take longer than the writes, and the engines would be in each other's way less often.
import { KalamDB } from '/pkg/kalamdb.js';
import { SideTables } from './side-tables.js';

const ROWS = { rowMode: 'array' };
/** Rows that a page may still change; older ones stay as they are. */
const MAX_POOL = 100;
/** Enough for the numbers of one page. */
const NUMBERS = 1e8;

/** The worker of the engine that was started last. */
let engine;
globalThis.Worker = class extends Worker {
  constructor(url, options) {
    super(url, options);
    engine = this;
  }
};

/** @type {KalamDB | undefined} */
let db;
let page = 0;
let count = 0;
let kills = 0;
let isStopped = false;
/** Every operation with its outcome, as the test gets it. */
let operations = [];
/** Events of this page that are stored for certain. */
let pool = [];
let fail;
/** Rejects as soon as something has happened that no engine's death explains. */
let failed;
/** Keeps the module compiled, so that the next engine starts in a fraction of the time. */
let module;

const between = (low, high) => low + Math.floor(Math.random() * (high - low + 1));
const oneOf = (list) => list[between(0, list.length - 1)];
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What each code of an error says about a write. All others are faults. */
const OUTCOMES = { serialization_failure: 'refused', engine_crashed: 'unknown' };

/** Ways to end the engine in the middle of what it does. */
const WAYS = {
  crash: () => engine.postMessage({ type: 'calls', calls: [{ id: 0, call: { kind: 'crash' } }] }),
  /** A statement that traps, as long as it does. */
  statement: () => {
    const statement = 'SELECT nth_value(op, -9223372036854775808 ORDER BY op) FROM steps';
    db.query(statement).catch(() => undefined);
  },
  terminate: () => {
    engine.terminate();
    // Nobody is told that a worker was terminated: the package learns of it as of an error in its script.
    engine.dispatchEvent(new ErrorEvent('error', { message: 'terminated', cancelable: true }));
  },
};

const sideTables = new SideTables(between);

globalThis.attack = {
  async open(name, number) {
    page = number;
    failed = new Promise((_, reject) => {
      fail = reject;
    });
    // It is waited for only while something is under way.
    failed.catch(() => undefined);
    const bytes = await (await fetch('/pkg/kalamdb.wasm')).blob();
    const wasmUrl = URL.createObjectURL(bytes);
    module = await WebAssembly.compileStreaming(fetch(wasmUrl));
    db = await KalamDB.open(name, { wasmUrl });
    await db.exec(`
      CREATE TABLE IF NOT EXISTS events (op BIGINT PRIMARY KEY, marks TEXT NOT NULL) WITH (FLUSH_POLICY = 'rows:40');
      CREATE TABLE IF NOT EXISTS items (op BIGINT NOT NULL, part INTEGER NOT NULL) WITH (FLUSH_POLICY = 'rows:60');
      CREATE TABLE IF NOT EXISTS counters (id INTEGER PRIMARY KEY, n BIGINT NOT NULL);
      CREATE TABLE IF NOT EXISTS steps (op BIGINT PRIMARY KEY, counter INTEGER NOT NULL) WITH (FLUSH_POLICY = 'rows:40');
      INSERT INTO counters VALUES (0, 0), (1, 0), (2, 0) ON CONFLICT DO NOTHING;
    `);
    return module !== undefined;
  },

  /** Writes until told to stop, and kills the own engine after so many rounds on average. */
  write: (ways, rounds) => orFails(writeUntilStopped(ways, rounds)),

  /** Asks for much without waiting and kills the engine, again and again. */
  kill: (plan) => orFails(killOften(plan)),

  stop() {
    isStopped = true;
  },

  /** The operations since the last time. */
  take() {
    const taken = operations;
    operations = [];
    pool = [];
    isStopped = false;
    sideTables.forget();
    return taken;
  },

  /** All rows as of one moment. */
  async read() {
    for (;;) {
      try {
        return await db.transaction(readAll);
      } catch (error) {
        // Another page has written between two of the queries.
        if (error.code !== 'serialization_failure') throw error;
      }
    }
  },

  check: () => db.check(),

  killed: () => kills,

  /** Begins anew with nothing stored. */
  async empty() {
    const { rows } = await db.query(SIDE_TABLES, [], ROWS);
    for (const [table] of rows) await db.query(`DROP TABLE ${table}`);
    await db.exec('TRUNCATE events; TRUNCATE items; TRUNCATE steps; UPDATE counters SET n = 0');
  },
};

const SIDE_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'side%' ORDER BY 1";

async function readAll(transaction) {
  const rows = async (sql) => (await transaction.query(sql, [], ROWS)).rows;
  const tables = [];
  for (const [table] of await rows(SIDE_TABLES)) {
    const { rows: stored, fields } = await transaction.query(`SELECT * FROM ${table} ORDER BY op`, [], ROWS);
    tables.push({ table, columns: fields.map(({ name }) => name), ops: stored.map(([op]) => op) });
  }
  return {
    events: await rows('SELECT op, marks, _seq FROM events ORDER BY op'),
    items: await rows('SELECT op, part, _seq FROM items ORDER BY op, part'),
    counters: await rows('SELECT id, n, _seq FROM counters ORDER BY id'),
    steps: await rows('SELECT op, counter, _seq FROM steps ORDER BY op'),
    tables,
  };
}

/** Fails as soon as an operation does. */
async function orFails(work) {
  await Promise.race([work, failed]);
}

async function writeUntilStopped(ways, rounds) {
  while (!isStopped) {
    const writing = Array.from({ length: between(1, 4) }, write);
    if (between(1, rounds) === 1) await kill(oneOf(ways), between(0, 5));
    await Promise.all(writing);
  }
}

async function killOften({ times, ways, maxDelay, heavy }) {
  for (let n = 0; n < times; n += 1) {
    // The engine is there again before it is asked for much.
    await write();
    const asked = Array.from({ length: between(3, 12) }, () => (between(1, 10) <= heavy ? askForMuch() : write()));
    await kill(oneOf(ways), between(-1, maxDelay));
    await Promise.all(asked);
  }
}

/** Ends the engine after so many milliseconds; at once if there are none. */
async function kill(way, delay) {
  if (delay >= 0) await later(delay);
  kills += 1;
  WAYS[way]();
  // A page that is busy hears late that its engine is dead; until it does, what the dead one had begun in IndexedDB goes on.
  const end = performance.now() + between(0, 3) * 10;
  while (performance.now() < end);
}

/** A change of definitions, or what stores rows in another way. */
function askForMuch() {
  const step = between(1, 3) === 1 ? sideTables.next() : undefined;
  if (step !== undefined) return perform(step, (operation) => db.query(sideTables.sql(operation)));
  return run(oneOf(['STORAGE FLUSH ALL', 'STORAGE COMPACT ALL']));
}

/** Runs what changes no rows. */
async function run(sql) {
  await db.query(sql).catch((error) => outcomeOf(error, sql));
}

function write() {
  const kind = between(1, 10);
  if (kind <= 4)
    return perform({ type: 'event' }, ({ number }) => db.query(`INSERT INTO events VALUES (${number}, '')`));
  if (kind <= 6 && pool.length > 0)
    return perform({ type: 'mark', target: oneOf(pool) }, async ({ number, target }) => {
      const { affectedRows } = await db.query(`UPDATE events SET marks = marks || ' ${number}' WHERE op = ${target}`);
      if (affectedRows !== 1 && pool.includes(target)) throw new Error(`event ${target} is lost`);
    });
  if (kind === 7 && pool.length > 20) {
    const [target] = pool.splice(between(0, pool.length - 1), 1);
    return perform({ type: 'delete', target }, () => db.query(`DELETE FROM events WHERE op = ${target}`));
  }
  if (kind <= 8)
    return perform({ type: 'items', count: between(2, 30) }, (operation) => {
      const rows = Array.from({ length: operation.count }, (_, part) => `(${operation.number}, ${part})`);
      return db.query(`INSERT INTO items VALUES ${rows.join(', ')}`);
    });
  return perform({ type: 'step', counter: between(0, 2) }, ({ number, counter }) =>
    db.transaction(async (transaction) => {
      await transaction.query('UPDATE counters SET n = n + 1 WHERE id = $1', [counter]);
      await transaction.query('INSERT INTO steps VALUES ($1, $2)', [number, counter]);
    }),
  );
}

/** Runs an operation under a number of its own and writes down how it ended. */
async function perform(what, work) {
  count += 1;
  const operation = { ...what, number: page * NUMBERS + count, outcome: 'unknown' };
  operations.push(operation);
  try {
    await work(operation);
    operation.outcome = 'acknowledged';
  } catch (error) {
    operation.outcome = outcomeOf(error, JSON.stringify(operation));
  }
  sideTables.settled(operation);
  if (operation.type !== 'event' || operation.outcome !== 'acknowledged') return;
  pool.push(operation.number);
  if (pool.length > MAX_POOL) pool.splice(between(0, pool.length - 1), 1);
}

function outcomeOf(error, what) {
  const outcome = OUTCOMES[error.code];
  if (outcome === undefined)
    fail(
      new Error(
        `page ${page}, after ${kills} kills of its own: ${what}: ${error.code ?? error.name}: ${error.message}`,
      ),
    );
  return outcome ?? 'unknown';
}
