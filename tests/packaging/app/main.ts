import { isKalamDBError, KalamDB, type OpenOptions, type Result, sql } from 'kalamdb';

/** What the page says when it is done; the test waits for it. */
declare global {
  var outcome: unknown;
}

const search = new URLSearchParams(location.search);
const options: OpenOptions = { worker: search.get('worker') !== 'no' };
const wasmUrl = search.get('wasmUrl');
if (wasmUrl !== null) options.wasmUrl = wasmUrl;
const workerUrl = search.get('workerUrl');
if (workerUrl !== null) options.workerUrl = workerUrl;

async function run(): Promise<unknown> {
  const db = await KalamDB.open('memory:', options);
  const result: Result<{ one: number }> = await db.query<{ one: number }>(sql`SELECT 1 AS one`);
  await db.close();
  return result.rows;
}

run().then(
  (rows) => {
    globalThis.outcome = rows;
  },
  (error: unknown) => {
    globalThis.outcome = isKalamDBError(error) ? `${error.code}: ${error.message}` : String(error);
  },
);
