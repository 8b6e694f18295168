// SQLite in the worker of the benchmark, on its pool of OPFS files, with its default settings (every commit is flushed).
import initSqlite from '@sqlite.org/sqlite-wasm';
import { COLUMNS } from '../data.mjs';
import { sqlDatabase } from '../sql.mjs';

export async function open(name) {
  const sqlite = await initSqlite({ print() {}, printErr() {} });
  const pool = await sqlite.installOpfsSAHPoolVfs({});
  const db = new pool.OpfsSAHPoolDb(`/${name}`);
  return sqlDatabase({
    query: async (sql, params) => db.selectObjects(sql, params),
    load: async (rows) => {
      db.transaction(() => {
        const insert = db.prepare(`INSERT INTO items (${COLUMNS.join(', ')}) VALUES (?, ?, ?, ?, ?, ?)`);
        for (const row of rows) insert.bind(row).stepReset();
        insert.finalize();
      });
    },
    close: async () => db.close(),
  });
}
