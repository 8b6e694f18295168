// Loads rows into one database, step by step as `memory.mjs` asks, so that it can tell whose memory is whose.
import { rows } from './data.mjs';

const { database, settings, count, batch } = Object.fromEntries(new URL(location.href).searchParams);
let db;
let all;

window.steps = {
  async open() {
    db = await (await import(new URL(`${database}/adapter.js`, location.href).href)).open(
      'memory',
      JSON.parse(settings),
    );
    await db.create();
  },

  /** Makes the rows, which are there before the load and after it. */
  async make() {
    all = rows(1, Number(count));
  },

  async load() {
    const size = Number(batch) || all.length;
    const begun = performance.now();
    for (let from = 0; from < all.length; from += size) {
      await db.load(size >= all.length ? all : all.slice(from, from + size));
    }
    return performance.now() - begun;
  },

  /** The answers of the database itself. */
  async check() {
    const { n, total, qty } = await db.state();
    return { n, total: Number(total), qty };
  },

  async close() {
    await db.close();
  },
};
