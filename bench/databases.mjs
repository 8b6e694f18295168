// The databases that can be compared: where each runs, its variants, and the files that its bundle needs beside it.
// An adapter is adapters/<name>.mjs; its `open(name, settings)` gives an object with the operations of sql.mjs.

const modules = new URL('./node_modules/', import.meta.url);
const sqlite = new URL('@sqlite.org/sqlite-wasm/dist/', modules);
const duckdb = new URL('@duckdb/duckdb-wasm/dist/', modules);
const pglite = new URL('@electric-sql/pglite/dist/', modules);

export const DATABASES = {
  kalamdb: {
    thread: 'page',
    variants: { relaxed: { durability: 'relaxed' }, strict: { durability: 'strict' } },
    external: ['./pkg/kalamdb.js'],
    assets: { pkg: new URL('../pkg/', import.meta.url) },
  },
  sqlite: {
    thread: 'worker',
    variants: { opfs: {} },
    assets: { 'sqlite3.wasm': new URL('sqlite3.wasm', sqlite) },
  },
  dexie: {
    thread: 'page',
    variants: { relaxed: { durability: 'relaxed' }, strict: { durability: 'strict' } },
    assets: {},
  },
  // Only for `npm run memory`: what is in OPFS cannot be written to after it was opened again.
  duckdb: {
    thread: 'page',
    variants: { memory: { storage: 'memory' }, opfs: { storage: 'opfs' } },
    assets: Object.fromEntries(
      ['duckdb-eh.wasm', 'duckdb-browser-eh.worker.js'].map((file) => [file, new URL(file, duckdb)]),
    ),
  },
  pglite: {
    thread: 'worker',
    variants: { idb: { storage: 'idb' }, opfs: { storage: 'opfs-ahp' } },
    assets: Object.fromEntries(
      ['pglite.wasm', 'pglite.data', 'initdb.wasm'].map((file) => [file, new URL(file, pglite)]),
    ),
  },
};

/** Reads `name:variant`; the first variant if none is named. */
export function parse(spec) {
  const [name, given] = spec.split(':');
  const database = DATABASES[name];
  if (database === undefined)
    throw new Error(`there is no database ${name}; there are ${Object.keys(DATABASES).join(', ')}`);
  const variant = given ?? Object.keys(database.variants)[0];
  const settings = database.variants[variant];
  if (settings === undefined)
    throw new Error(`${name} has no variant ${variant}; it has ${Object.keys(database.variants).join(', ')}`);
  return { spec: `${name}:${variant}`, name, thread: database.thread, settings };
}
