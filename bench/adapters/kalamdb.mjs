// The package of this repository, as ../pkg has it; it starts its own worker.

import { COLUMNS } from '../data.mjs';
import { sqlDatabase } from '../sql.mjs';
import { KalamDB } from './pkg/kalamdb.js';

export async function open(name, { durability }) {
  const db = await KalamDB.open(name, { durability });
  return sqlDatabase({
    query: async (sql, params) => (await db.query(sql, params)).rows,
    load: async (rows) => {
      await db.insert('items', { columns: COLUMNS, rows });
    },
    close: () => db.close(),
  });
}
