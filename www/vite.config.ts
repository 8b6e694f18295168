import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// Vite looks for a default export here; nothing else in the project has one.
export default defineConfig({
  // Relative addresses, so that the built page works from any folder of a host.
  base: './',
  resolve: {
    alias: {
      // The assembled package, by name as an application imports it. An alias and not
      // a dependency, so that `npm ci` works before the package has been built.
      kalamdb: folder('../pkg/kalamdb.js'),
      // vega-datasets does not list its data files among its exports.
      'vega-datasets-files': folder('node_modules/vega-datasets/data'),
    },
  },
  server: { fs: { allow: ['.', '../pkg'] } },
  worker: { format: 'es' },
  build: { target: 'es2022', chunkSizeWarningLimit: 1000 },
});
