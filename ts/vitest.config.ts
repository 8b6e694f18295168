import { defineConfig } from 'vitest/config';

// vitest looks for a default export here.
export default defineConfig({
  root: import.meta.dirname,
  resolve: { alias: { 'kalamdb:bindings': `${import.meta.dirname}/test/fake-engine.ts` } },
  test: { include: ['test/*.test.ts'], environment: 'node' },
});
