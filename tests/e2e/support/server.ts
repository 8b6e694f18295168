import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** The folders that are served, under their own names: the package, the built demo, the test pages. */
const SERVED = ['pkg', join('www', 'dist'), join('tests', 'e2e', 'pages')];

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** Addresses on a running server. */
export interface TestServer {
  readonly demoUrl: string;
  readonly harnessUrl: string;
  readonly writerUrl: string;
  readonly attackUrl: string;
  /** A page with nothing in it. */
  readonly emptyUrl: string;
  close(): Promise<void>;
}

/** Serves the built files on a free port of this machine. */
export async function startServer(): Promise<TestServer> {
  const server = createServer((request, response) => void answer(request.url ?? '/', response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const origin = `http://127.0.0.1:${address.port}`;
  return {
    demoUrl: `${origin}/www/dist/index.html`,
    harnessUrl: `${origin}/tests/e2e/pages/harness.html`,
    emptyUrl: `${origin}/tests/e2e/pages/empty.html`,
    writerUrl: `${origin}/tests/e2e/pages/writer.html`,
    attackUrl: `${origin}/tests/e2e/pages/attack.html`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(url: string, response: ServerResponse): Promise<void> {
  const path = normalize(decodeURIComponent(new URL(url, 'http://localhost').pathname)).slice(1);
  const type = TYPES[extname(path)];
  if (type === undefined || !SERVED.some((folder) => path.startsWith(folder + sep))) {
    response.writeHead(404).end();
    return;
  }
  try {
    const body = await readFile(join(ROOT, path));
    response.writeHead(200, { 'content-type': type, 'content-length': body.byteLength }).end(body);
  } catch {
    response.writeHead(404).end();
  }
}
