// A static file server on localhost with the headers that a wasm application wants.
// As a program: `node xtask/serve.mjs <folder>` on port PORT or 8080. Also used by bench/.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm', // the type that WebAssembly.compileStreaming insists on
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

/** Vite puts a hash of the content into these names, so that a name's content never changes. */
const HASHED = /[/\\]assets[/\\][^/\\]*-[A-Za-z0-9_-]{8}\.[a-z0-9]+$/;

// Chromium keeps compiled wasm beside the response in its HTTP cache: what may be cached long starts fast on the second visit.
const cacheControl = (path) => (HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache');

/** The file that a URL path names, a folder's index.html included; null if there is none inside `root`. */
async function locate(root, pathname) {
  const path = resolve(join(root, decodeURIComponent(pathname)));
  if (path !== root && !path.startsWith(root + sep)) return null;
  for (const candidate of [path, join(path, 'index.html')]) {
    const info = await stat(candidate).catch(() => null);
    if (info?.isFile()) return { path: candidate, info };
  }
  return null;
}

async function answer(root, options, request, response) {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  const { pathname } = new URL(request.url, 'http://localhost');
  const file = await locate(root, pathname);
  if (file === null) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('not found');
    return;
  }
  const etag = `"${file.info.size.toString(36)}-${file.info.mtimeMs.toString(36)}"`;
  const headers = {
    ...options.headers,
    'cache-control': options.cacheControl ?? cacheControl(file.path),
    'content-type': TYPES[extname(file.path)] ?? 'application/octet-stream',
    etag,
  };
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(200, { ...headers, 'content-length': file.info.size });
  if (request.method === 'HEAD') response.end();
  else await pipeline(createReadStream(file.path), response);
}

/**
 * Serves a folder on localhost.
 * @param {string} folder
 * @param {{ port?: number, headers?: Record<string, string>, cacheControl?: string }} [options] port 0, the default, takes a free one
 * @returns {Promise<{ url: string, close: () => void }>}
 */
export async function serve(folder, options = {}) {
  const root = resolve(folder);
  const server = createServer((request, response) => {
    answer(root, options, request, response).catch(() => {
      if (response.headersSent) response.destroy();
      else response.writeHead(400).end();
    });
  });
  await new Promise((done, failed) => server.once('error', failed).listen(options.port ?? 0, '127.0.0.1', done));
  return { url: `http://localhost:${server.address().port}/`, close: () => server.close() };
}

if (process.argv[1] === import.meta.filename) {
  const port = Number(process.env.PORT || 8080);
  try {
    const { url } = await serve(process.argv[2] ?? '.', { port });
    console.log(`\nKalamDB is running at ${url} (stop with Ctrl-C)`);
  } catch (error) {
    const reason =
      error.code === 'EADDRINUSE' ? `port ${port} is in use: choose another with PORT=<number>` : error.message;
    console.error(`error: ${reason}`);
    process.exitCode = 1;
  }
}
