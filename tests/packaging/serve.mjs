import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };

/**
 * Serves a folder on a free port, to pages of any origin, as a CDN does.
 *
 * @param {string} root
 * @param {{ types?: Record<string, string>, cuts?: Record<string, number> }} [options] - MIME types that differ from the usual ones;
 *   how often the connection breaks in the middle of a file of a kind
 */
export async function serve(root, { types = {}, cuts = {} } = {}) {
  const cutsLeft = { ...cuts };
  const server = http.createServer((request, response) => {
    const file = path.join(root, decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname));
    fs.readFile(file, (error, bytes) => {
      if (error) {
        response.writeHead(404).end('not found');
        return;
      }
      const extension = path.extname(file);
      const type = types[extension] ?? TYPES[extension] ?? 'application/octet-stream';
      response.writeHead(200, {
        'Content-Type': type,
        'Content-Length': bytes.length,
        'Access-Control-Allow-Origin': '*',
      });
      if (cutsLeft[extension] > 0) {
        cutsLeft[extension] -= 1;
        response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
      } else response.end(bytes);
    });
  });
  await new Promise((resolve) => server.listen(0, 'localhost', resolve));
  const { port } = server.address();
  return {
    url: `http://localhost:${port}/`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
