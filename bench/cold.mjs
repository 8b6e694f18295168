// Opens a stored database of many rows beside one of few, all rows in segments: what opening costs, and what first queries cost.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { withPage, withProfile } from './chromium.mjs';

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    few: { type: 'string', default: '1000' },
    runs: { type: 'string', default: '3' },
  },
});
const FILES = fileURLToPath(new URL('../pkg/', import.meta.url));
const DATA = fileURLToPath(new URL('./data.mjs', import.meta.url));
const TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };

const server = createServer((request, response) => {
  const path = new URL(request.url ?? '/', 'http://localhost').pathname.slice(1);
  try {
    const body =
      path === '' ? '<!doctype html><title>cold</title>' : readFileSync(path === 'data.mjs' ? DATA : join(FILES, path));
    response.setHeader('content-type', TYPES[extname(path)] ?? 'text/html');
    response.setHeader('cache-control', 'max-age=3600');
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
}).listen(0);
const url = `http://localhost:${server.address().port}/`;

/** Fills a database and stores all of its rows as segments. Runs in the page. */
async function fill(count) {
  const [{ KalamDB }, { COLUMNS, rows }] = await Promise.all([import('/kalamdb.js'), import('/data.mjs')]);
  const db = await KalamDB.open('cold');
  await db.exec(
    'CREATE TABLE items (id INTEGER PRIMARY KEY, user_id TEXT, title TEXT, amount DOUBLE, qty INTEGER, created_at BIGINT)',
  );
  const batch = 100_000;
  let insertMs = 0;
  for (let from = 0; from < count; from += batch) {
    const some = rows(from + 1, Math.min(batch, count - from));
    const begun = performance.now();
    await db.insert('items', { columns: COLUMNS, rows: some });
    insertMs += performance.now() - begun;
  }
  const begun = performance.now();
  await db.exec('FLUSH TABLE items');
  const flushMs = performance.now() - begun;
  const { segmentBytes } = await db.storage();
  await db.close();
  return { insertMs, flushMs, segmentBytes };
}

/** Opens it again. Runs in the page. */
async function visit() {
  const begun = performance.now();
  const { KalamDB } = await import('/kalamdb.js');
  const db = await KalamDB.open('cold');
  const openMs = performance.now() - begun;
  const time = async (sql) => {
    const from = performance.now();
    await db.query(sql);
    return performance.now() - from;
  };
  const aggregate = 'SELECT sum(amount) AS total, max(qty) AS most, min(created_at) AS oldest FROM items';
  const times = {
    openMs,
    countMs: await time('SELECT count(*) AS n FROM items'),
    coldMs: await time(aggregate),
    warmMs: await time(aggregate),
  };
  const { cacheBytes } = await db.storage();
  await db.close();
  return { ...times, cacheBytes };
}

/** Runs both on one number of rows, each visit in a browser of its own. */
function measure(count) {
  return withProfile(async (profile) => {
    const inBrowser = (work, ...args) =>
      withPage(profile, async (page) => {
        await page.goto(url);
        return page.evaluate(work, ...args);
      });
    const filled = await inBrowser(fill, count);
    const visits = [];
    for (let run = 0; run < Number(options.runs); run += 1) visits.push(await inBrowser(visit));
    const median = (name) => visits.map((times) => times[name]).sort((a, b) => a - b)[visits.length >> 1];
    return { ...filled, ...Object.fromEntries(Object.keys(visits[0]).map((name) => [name, median(name)])) };
  });
}

const few = await measure(Number(options.few));
const many = await measure(Number(options.rows));
server.close();
const rows = {
  'insert, ms': 'insertMs',
  'flush of what is left, ms': 'flushMs',
  'segments, bytes': 'segmentBytes',
  'open, ms': 'openMs',
  'count(*), ms': 'countMs',
  'aggregate of three columns, first, ms': 'coldMs',
  'the same again, ms': 'warmMs',
  'columns in memory, bytes': 'cacheBytes',
};
const shown = (value) => Math.round(value).toLocaleString('en');
console.log(`| | ${shown(options.few)} rows | ${shown(options.rows)} rows | ratio |\n|---|--:|--:|--:|`);
for (const [label, name] of Object.entries(rows))
  console.log(`| ${label} | ${shown(few[name])} | ${shown(many[name])} | ${(many[name] / few[name]).toFixed(2)} |`);
