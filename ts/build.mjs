/**
 * Assembles the npm package in pkg/: `node ts/build.mjs <folder with the output of wasm-bindgen --target web>`.
 * The demo and the tests import it by name through aliases, so that `npm ci` works before it is built.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

const ROOT = path.resolve(import.meta.dirname, '..');
const PKG = path.join(ROOT, 'pkg');
const BINDINGS = 'kalamdb_wasm.js';
const WASM = 'kalamdb_wasm_bg.wasm';
/** The oldest browsers with what the package needs; wasm SIMD decides for Safari. */
const TARGET = ['chrome105', 'firefox104', 'safari16.4'];
/** The module whose exports are the package's. */
const MAIN = 'api/index';

/**
 * wasm-bindgen's module holds one instance for ever. As the body of a function it can be run again after a crash.
 * The function's argument shadows the global `WebAssembly`, which is how the instance is watched.
 */
async function bindingsAsFunction(folder) {
  const { outputFiles } = await build({
    entryPoints: [path.join(folder, BINDINGS)],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'bindings',
    target: TARGET,
    // Where the module would look for its wasm by default; it is always told.
    define: { 'import.meta.url': '"about:blank"' },
    logLevel: 'warning',
  });
  return `export function makeBindings(WebAssembly) {\n${outputFiles[0].text}\nreturn bindings;\n}\n`;
}

function bindingsPlugin(folder) {
  return {
    name: 'bindings',
    setup(esbuild) {
      esbuild.onResolve({ filter: /^kalamdb:bindings$/ }, () => ({ path: BINDINGS, namespace: 'bindings' }));
      esbuild.onLoad({ filter: /.*/, namespace: 'bindings' }, async () => ({
        contents: await bindingsAsFunction(folder),
      }));
    },
  };
}

/** The engine for the page is a file of its own, found beside the main module at run time. */
const enginePlugin = {
  name: 'engine',
  setup(esbuild) {
    esbuild.onResolve({ filter: /\/engine\/start\.js$/ }, () => ({ path: './kalamdb-engine.js', external: true }));
  },
};

async function bundle(folder) {
  const common = {
    bundle: true,
    format: 'esm',
    target: TARGET,
    legalComments: 'none',
    charset: 'ascii',
    logLevel: 'warning',
  };
  const source = (file) => path.join(ROOT, 'ts', file);
  const output = (file) => path.join(PKG, file);
  const plugins = [bindingsPlugin(folder)];
  await Promise.all([
    build({ ...common, entryPoints: [source(`${MAIN}.ts`)], outfile: output('kalamdb.js'), plugins: [enginePlugin] }),
    build({
      ...common,
      entryPoints: [source('worker/main.ts')],
      outfile: output('kalamdb-worker.js'),
      plugins,
      minify: true,
    }),
    build({
      ...common,
      entryPoints: [source('engine/start.ts')],
      outfile: output('kalamdb-engine.js'),
      plugins,
      minify: true,
    }),
  ]);
}

/** Writes the declarations of the main module, and of those that it names, below pkg/types. */
function declarations() {
  const out = path.join(PKG, '.types');
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  execFileSync(
    process.execPath,
    [
      tsc,
      '-p',
      path.join(ROOT, 'ts/tsconfig.json'),
      '--noEmit',
      'false',
      '--emitDeclarationOnly',
      '--stripInternal',
      '--outDir',
      out,
    ],
    { stdio: 'inherit' },
  );
  for (const name of namedFrom(out, MAIN)) {
    const file = path.join(PKG, 'types', `${name}.d.ts`);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.copyFileSync(path.join(out, `${name}.d.ts`), file);
  }
  fs.rmSync(out, { recursive: true });
}

/** A module and all that its declaration names, directly or through others. */
function namedFrom(folder, main) {
  const names = new Set([main]);
  for (const name of names) {
    const text = fs.readFileSync(path.join(folder, `${name}.d.ts`), 'utf8');
    for (const [, other] of text.matchAll(/\bfrom '(\.[^']+)\.js'/g))
      names.add(path.posix.join(path.posix.dirname(name), other));
  }
  return names;
}

function manifest() {
  const { version, license } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  const files = ['kalamdb.js', 'kalamdb-worker.js', 'kalamdb-engine.js', 'kalamdb.wasm', 'types'];
  const text = {
    name: 'kalamdb',
    version,
    description: 'SQL database for the browser: DataFusion on IndexedDB',
    license,
    repository: { type: 'git', url: 'git+https://github.com/kalamdb/kalamdb-browser.git' },
    keywords: ['database', 'sql', 'browser', 'indexeddb', 'wasm', 'datafusion'],
    type: 'module',
    main: './kalamdb.js',
    types: `./types/${MAIN}.d.ts`,
    exports: {
      '.': { types: `./types/${MAIN}.d.ts`, default: './kalamdb.js' },
      './kalamdb-worker.js': './kalamdb-worker.js',
      './kalamdb.wasm': './kalamdb.wasm',
      './package.json': './package.json',
    },
    sideEffects: ['./kalamdb-worker.js'],
    files,
  };
  fs.writeFileSync(path.join(PKG, 'package.json'), `${JSON.stringify(text, null, 2)}\n`);
}

const [folder] = process.argv.slice(2);
if (folder === undefined || !fs.existsSync(path.join(folder, WASM))) {
  process.stderr.write(`usage: node ts/build.mjs <folder with ${BINDINGS} and ${WASM}>\n`);
  process.exit(2);
}
fs.rmSync(PKG, { recursive: true, force: true });
fs.mkdirSync(PKG);
await bundle(path.resolve(folder));
declarations();
manifest();
fs.copyFileSync(path.join(folder, WASM), path.join(PKG, 'kalamdb.wasm'));
for (const file of ['README.md', 'LICENSE']) fs.copyFileSync(path.join(ROOT, file), path.join(PKG, file));
for (const file of fs.readdirSync(PKG, { recursive: true }))
  process.stdout.write(`pkg/${file} ${fs.statSync(path.join(PKG, file)).size}\n`);
