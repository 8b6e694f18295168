// Bundles the page, the worker and the adapters into dist/, each adapter in a folder with its assets.
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { DATABASES } from './databases.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));

export const dist = fileURLToPath(new URL('./dist/', import.meta.url));

/** @param {string[]} names the databases wanted */
export async function bundle(names) {
  rmSync(dist, { recursive: true, force: true });
  const options = {
    absWorkingDir: here,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'error',
    minify: true,
  };
  await build({ ...options, entryPoints: ['page.mjs', 'memory-page.mjs', 'worker.mjs'], outdir: dist });
  for (const [page, script] of [
    ['index', 'page'],
    ['memory', 'memory-page'],
  ])
    writeFileSync(
      `${dist}${page}.html`,
      `<!doctype html><meta charset="utf-8"><title>Benchmark</title><script type="module" src="${script}.js"></script>\n`,
    );
  for (const name of names) {
    // `node:` imports are for Node alone and are never reached in a browser.
    const { external = [], assets } = DATABASES[name];
    await build({
      ...options,
      entryPoints: { adapter: `adapters/${name}.mjs` },
      outdir: `${dist}${name}`,
      external: [...external, 'node:*'],
    });
    for (const [file, source] of Object.entries(assets)) cpSync(source, `${dist}${name}/${file}`, { recursive: true });
  }
}
