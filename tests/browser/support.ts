import { isKalamDBError, KalamDB, type KalamDBError, type OpenOptions, type Param, type Queries } from 'kalamdb';
import { afterAll, beforeAll } from 'vitest';

/** The two places where the engine runs; every test of behaviour runs in both. */
export const TRANSPORTS: [string, OpenOptions][] = [
  ['worker', { worker: true }],
  ['page', { worker: false }],
];

/** A name that no other test uses. */
export function freshName(): string {
  return `test-${crypto.randomUUID()}`;
}

/** Opens a database of its own for the tests of a block, and deletes it after them. */
export function useDatabase(options: OpenOptions): () => KalamDB {
  const name = freshName();
  let db: KalamDB | undefined;
  beforeAll(async () => {
    db = await KalamDB.open(name, options);
  });
  afterAll(async () => {
    await db?.close();
    await KalamDB.delete(name, options);
  });
  return () => {
    if (db === undefined) throw new Error('the database is opened before the tests run');
    return db;
  };
}

/** Runs a test with the name of a database that is deleted afterwards. */
export async function withName(options: OpenOptions, run: (name: string) => Promise<void>): Promise<void> {
  const name = freshName();
  try {
    await run(name);
  } finally {
    await KalamDB.delete(name, options);
  }
}

/** The error that a call rejects with. */
export async function failureOf(call: Promise<unknown>): Promise<KalamDBError> {
  const outcome = await call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('error' in outcome && isKalamDBError(outcome.error)) return outcome.error;
  throw new Error(`expected a KalamDBError, got ${JSON.stringify(outcome)}`, { cause: outcome });
}

/** The values of the first column of a query. */
export async function column(db: Queries, text: string, params: Param[] = []): Promise<unknown[]> {
  const { rows } = await db.query<unknown[]>(text, params, { rowMode: 'array' });
  return rows.map((row) => row[0]);
}
