import { mergeConfig } from 'vite';
import { defineConfig } from 'vitest/config';
import viteConfig from './vite.config.ts';

// vitest looks for a default export here. The package is imported by the name that the demo has for it.
export default mergeConfig(
  viteConfig,
  defineConfig({
    root: import.meta.dirname,
    test: { include: ['test/**/*.test.ts'], environment: 'node' },
  }),
);
