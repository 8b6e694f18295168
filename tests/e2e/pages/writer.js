// One of the pages that write at the same time. The test says what to write and hears how each operation ended.
import { KalamDB } from '/pkg/kalamdb.js';

/** @type {KalamDB | undefined} */
let db;

globalThis.writer = {
  async open(name) {
    db = await KalamDB.open(name);
    await db.exec(`
      CREATE TABLE IF NOT EXISTS items (id BIGINT PRIMARY KEY, page INTEGER NOT NULL, op BIGINT NOT NULL, value BIGINT NOT NULL) WITH (FLUSH_POLICY = 'rows:40');
      CREATE TABLE IF NOT EXISTS events (op BIGINT NOT NULL) WITH (FLUSH_POLICY = 'rows:40');
      CREATE TABLE IF NOT EXISTS counters (id INTEGER PRIMARY KEY, n BIGINT NOT NULL);
      CREATE TABLE IF NOT EXISTS steps (op BIGINT PRIMARY KEY, counter INTEGER NOT NULL) WITH (FLUSH_POLICY = 'rows:40');
      INSERT INTO counters VALUES (0, 0), (1, 0), (2, 0) ON CONFLICT DO NOTHING;
    `);
  },

  /** All rows as of one moment, each table sorted. */
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

  /** Writes until the test has nothing more to write, or the page dies. */
  async writeUntilTold() {
    for (;;) {
      const operations = await globalThis.nextOperations();
      if (operations.length === 0) return;
      await Promise.all(operations.map(write));
    }
  },

  async query(sql) {
    return (await db.query(sql, [], { rowMode: 'array' })).rows;
  },

  /** The code and the hint of a query's failure. */
  async failure(sql) {
    try {
      await db.query(sql);
    } catch ({ code, hint }) {
      return { code, hint };
    }
    return null;
  },

  isOpen: () => db !== undefined,

  /** The size of the record that makes room when there is none. */
  async reserveBytes(name) {
    const database = await settled(indexedDB.open(`kalamdb/${name}`));
    const reserve = await settled(database.transaction('meta').objectStore('meta').get('reserve'));
    database.close();
    return reserve?.byteLength ?? 0;
  },

  deleteDatabase: (name) => KalamDB.delete(name),
};

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function readAll(transaction) {
  const table = async (sql) => (await transaction.query(sql, [], { rowMode: 'array' })).rows;
  return {
    items: await table('SELECT id, page, op, value FROM items ORDER BY id'),
    events: await table('SELECT op FROM events ORDER BY op'),
    counters: await table('SELECT id, n FROM counters ORDER BY id'),
    steps: await table('SELECT op, counter FROM steps ORDER BY op'),
  };
}

async function write(operation) {
  try {
    await run(operation);
  } catch (error) {
    // Another page was first: nothing of it is stored.
    if (error.code !== 'serialization_failure') throw error;
    await globalThis.refused(operation.number);
    return;
  }
  await globalThis.acknowledge(operation.number);
}

function run({ number, page, ...operation }) {
  switch (operation.type) {
    case 'insert': {
      const rows = operation.ids.map((id) => `(${id}, ${page}, ${number}, ${id})`);
      return db.query(`INSERT INTO items VALUES ${rows.join(', ')}`);
    }
    case 'update':
      return db.query(
        `UPDATE items SET op = ${number}, value = value + 1 WHERE page = ${page} AND id % ${operation.modulus} = 0`,
      );
    case 'delete':
      return db.query(`DELETE FROM items WHERE page = ${page} AND id % ${operation.modulus} = 0`);
    case 'event':
      return db.query(`INSERT INTO events VALUES (${number})`);
    case 'step':
      return db.transaction(async (transaction) => {
        await transaction.query('UPDATE counters SET n = n + 1 WHERE id = $1', [operation.counter]);
        await transaction.query('INSERT INTO steps VALUES ($1, $2)', [number, operation.counter]);
      });
    default:
      throw new Error(`no such operation: ${operation.type}`);
  }
}
