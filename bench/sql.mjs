// The workload for databases that speak SQL: an adapter says how to run a statement and how to load rows.
import { COLUMNS } from './data.mjs';

/**
 * @param {object} how
 * @param {(sql: string, params?: unknown[]) => Promise<object[]>} how.query runs one statement with $1, $2 ... and gives its rows
 * @param {(rows: unknown[][]) => Promise<void>} how.load stores many rows, durably
 * @param {() => Promise<void>} how.close
 */
export function sqlDatabase({ query, load, close }) {
  return {
    async create() {
      await query(
        'CREATE TABLE items (id INTEGER PRIMARY KEY, user_id TEXT, title TEXT, amount DOUBLE PRECISION, qty INTEGER, created_at BIGINT)',
      );
    },
    load,
    async count() {
      const [answer] = await query('SELECT count(*) AS n FROM items');
      return Number(answer.n);
    },
    async point(id) {
      const [found] = await query('SELECT id, user_id, title, amount, qty, created_at FROM items WHERE id = $1', [id]);
      return COLUMNS.map((column) => (typeof found[column] === 'bigint' ? Number(found[column]) : found[column]));
    },
    async insert(row) {
      await query(
        'INSERT INTO items (id, user_id, title, amount, qty, created_at) VALUES ($1, $2, $3, $4, $5, $6)',
        row,
      );
    },
    async groups() {
      const found = await query(
        'SELECT user_id, count(*) AS n, sum(amount) AS total FROM items GROUP BY user_id ORDER BY total DESC, user_id LIMIT 10',
      );
      return found.map(({ user_id, n, total }) => ({ user_id, n: Number(n), total }));
    },
    async update() {
      await query('UPDATE items SET amount = amount + 0.25 WHERE qty < 100');
    },
    async remove() {
      await query('DELETE FROM items WHERE qty >= 900');
    },
    async state() {
      const [answer] = await query('SELECT count(*) AS n, sum(amount) AS total, sum(qty) AS qty FROM items');
      return { n: Number(answer.n), total: answer.total, qty: Number(answer.qty) };
    },
    close,
  };
}
