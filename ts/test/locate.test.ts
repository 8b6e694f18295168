import { expect, test } from 'vitest';
import { locationHint, originalFolder } from '../transport/locate.js';

const MOVED = 'http://localhost:5173/node_modules/.vite/deps/kalamdb.wasm';

test('a package that was not moved is where it is', () => {
  expect(originalFolder('http://localhost/node_modules/kalamdb/kalamdb.wasm')).toBeUndefined();
  expect(locationHint('http://localhost/assets/kalamdb-abc123.wasm')).toBe('');
});

test('a package that Vite moved is found beside the cache', () => {
  expect(originalFolder(MOVED)).toBe('http://localhost:5173/node_modules/kalamdb/');
  expect(originalFolder(MOVED.replace('/deps/', '/deps_ssr/'))).toBe('http://localhost:5173/node_modules/kalamdb/');
  expect(locationHint(MOVED)).toContain('optimizeDeps.exclude');
});
