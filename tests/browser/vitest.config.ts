import path from 'node:path';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { launchOptions } from './chromium.mjs';

const PKG = path.resolve(import.meta.dirname, '../../pkg');
const README = path.resolve(import.meta.dirname, '../../README.md');
const DOCS = path.resolve(import.meta.dirname, '../../docs');

// vitest looks for a default export here.
export default defineConfig({
  root: import.meta.dirname,
  cacheDir: '../../node_modules/.vite/tests',
  resolve: {
    alias: [
      { find: /^kalamdb$/, replacement: path.join(PKG, 'kalamdb.js') },
      { find: /^kalamdb\//, replacement: `${PKG}/` },
    ],
  },
  server: { fs: { allow: [import.meta.dirname, PKG, README, DOCS] } },
  test: {
    include: ['*.test.ts'],
    // The engine is tens of megabytes of code, and the machine may be busy.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions }),
      instances: [{ browser: 'chromium' }],
    },
  },
});
