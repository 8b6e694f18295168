// Runs in the browser that the durability tests kill. The test says what to write and
// hears what was acknowledged; this page keeps no account of its own.
import { KalamDB } from '/pkg/kalamdb.js';

/** @type {KalamDB | undefined} */
let db;

globalThis.harness = {
  /** Opens the database and makes its tables if they are not there. */
  async open(name, options) {
    db = await KalamDB.open(name, options);
    await db.exec(`
      CREATE TABLE IF NOT EXISTS items (id BIGINT PRIMARY KEY, op BIGINT NOT NULL, value BIGINT NOT NULL) WITH (FLUSH_POLICY = 'rows:40');
      CREATE TABLE IF NOT EXISTS events (op BIGINT NOT NULL) WITH (FLUSH_POLICY = 'rows:40');
    `);
  },

  /** Everything there is, as `[id, op, value]` and `[op, count]`. */
  async read() {
    const arrays = { rowMode: 'array' };
    const items = await db.query('SELECT id, op, value FROM items', [], arrays);
    const events = await db.query('SELECT op, count(*) FROM events GROUP BY op', [], arrays);
    const counted = await db.queryOne('SELECT count(*) AS n FROM items');
    return { items: items.rows, events: events.rows, count: counted.n };
  },

  /** Writes until the browser dies. `nextOperations` and `acknowledge` are the test's. */
  async writeForEver() {
    for (;;) {
      const operations = await globalThis.nextOperations();
      await Promise.all(operations.map((operation) => harness.write(operation)));
    }
  },

  /** Runs one operation and tells the test as soon as its promise resolves. */
  async write(operation) {
    await run(operation);
    await globalThis.acknowledge(operation.number);
  },
};

function run(operation) {
  const { number, type } = operation;
  switch (type) {
    case 'insert': {
      const ids = Array.from({ length: operation.count }, (_, i) => operation.firstId + i);
      const rows = ids.map((id) => [id, number, id * 3]);
      if (operation.how === 'rows') return db.insert('items', { columns: ['id', 'op', 'value'], rows });
      const values = rows.map((row) => `(${row.join(', ')})`).join(', ');
      return db.query(`INSERT INTO items (id, op, value) VALUES ${values}`);
    }
    case 'update':
      return db.query('UPDATE items SET op = $1, value = value + $2 WHERE id % $3 = $4', [
        number,
        operation.add,
        operation.modulus,
        operation.remainder,
      ]);
    case 'delete':
      return db.query(`DELETE FROM items WHERE id % ${operation.modulus} = ${operation.remainder}`);
    case 'event':
      return db.query('INSERT INTO events (op) VALUES ($1)', [number]);
    default:
      throw new Error(`no such operation: ${type}`);
  }
}
