// Runs statements in a page with the built package: one line of JSON in, one line of JSON out.
//   {"op":"open","name"}  {"op":"query","sql"}  {"op":"quit"}  ->  {"types","rows","affected"} | {"error":{"code","sqlState","message"}}
import { createReadStream, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { launchOptions } from '../browser/chromium.mjs';

const PACKAGE = fileURLToPath(new URL('../../pkg/', import.meta.url));
const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' };

const server = createServer((request, response) => {
  const path = new URL(request.url ?? '/', 'http://localhost').pathname;
  if (path === '/') {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>SQL tests</title>');
    return;
  }
  const file = join(PACKAGE, normalize(path));
  if (!file.startsWith(PACKAGE) || !existsSync(file)) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
  createReadStream(file).pipe(response);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

const profile = mkdtempSync(join(tmpdir(), 'kalamdb-slt-'));
const context = await chromium.launchPersistentContext(profile, launchOptions);
const page = context.pages()[0] ?? (await context.newPage());
await page.goto(`http://127.0.0.1:${server.address().port}/`);

// What runs in the page: a database at a time, and values printed as src/lib.rs says.
await page.evaluate(async () => {
  const { KalamDB, isKalamDBError } = await import(new URL('/kalamdb.js', location.href).href);
  let db;
  let name;
  const print = (value) => {
    if (value === null) return 'NULL';
    if (value instanceof Uint8Array) return Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('') || '(empty)';
    if (typeof value === 'object') return JSON.stringify(value);
    return String(value) || '(empty)';
  };
  globalThis.run = async (request) => {
    try {
      if (request.op === 'open') {
        await db?.close();
        if (name) await KalamDB.delete(name);
        name = `slt-${request.name}`;
        await KalamDB.delete(name);
        db = await KalamDB.open(name);
        return { types: [], rows: null, affected: 0 };
      }
      const result = await db.query(request.sql, [], { rowMode: 'array', timestamps: 'iso' });
      const types = result.fields.map((field) => field.type);
      return { types, rows: types.length ? result.rows.map((row) => row.map(print)) : null, affected: result.affectedRows ?? 0 };
    } catch (error) {
      if (!isKalamDBError(error)) throw error;
      return { error: { code: error.code, sqlState: error.sqlState, message: error.message } };
    }
  };
});

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (request.op === 'quit') break;
  process.stdout.write(`${JSON.stringify(await page.evaluate((request) => globalThis.run(request), request))}\n`);
}
await context.close();
rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
// Connections that the browser kept alive would hold the process.
process.exit(0);
