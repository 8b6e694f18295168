/** The packed package in applications: with Vite, with esbuild, without a bundler, and its types. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { build as esbuild } from 'esbuild';
import { chromium } from 'playwright';
import { build, createServer, preview } from 'vite';
import { launchOptions } from '../browser/chromium.mjs';
import { serve } from './serve.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const ONE = [{ one: 1 }];
/** The module is tens of megabytes, and the machine may be busy. */
const PATIENCE = 120_000;

let app;
let browser;

/** Installs what `npm pack` makes of the package in a copy of the application, without asking the registry. */
before(async () => {
  app = fs.mkdtempSync(path.join(os.tmpdir(), 'kalamdb-app-'));
  fs.cpSync(path.join(import.meta.dirname, 'app'), app, { recursive: true });
  fs.writeFileSync(path.join(app, 'package.json'), '{ "private": true, "type": "module" }\n');
  const npm = (...args) => execFileSync('npm', [...args, '--loglevel=error'], { cwd: app, encoding: 'utf8' });
  const [{ filename }] = JSON.parse(npm('pack', path.join(ROOT, 'pkg'), '--json'));
  npm('install', '--offline', '--no-audit', '--no-fund', `./${filename}`);
  browser = await chromium.launch(launchOptions);
});

after(async () => {
  await browser?.close();
  fs.rmSync(app, { recursive: true, force: true });
});

/** Opens a page and gives what it says it came to. */
async function outcome(url) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(url);
    const handle = await page.waitForFunction(() => globalThis.outcome, undefined, { timeout: PATIENCE });
    return await handle.jsonValue();
  } finally {
    await context.close();
  }
}

describe('the files', () => {
  test('are the ones that applications find', () => {
    const files = fs.readdirSync(path.join(app, 'node_modules/kalamdb')).sort();
    assert.deepEqual(files, [
      'LICENSE',
      'README.md',
      'kalamdb-engine.js',
      'kalamdb-worker.js',
      'kalamdb.js',
      'kalamdb.wasm',
      'package.json',
      'types',
    ]);
    assert.ok(fs.existsSync(path.join(app, 'node_modules/kalamdb/types/api/index.d.ts')));
  });

  test('can be imported where there is no browser', () => {
    const script = "import('kalamdb').then((all) => console.log(Object.keys(all).sort().join()))";
    const names = execFileSync(process.execPath, ['-e', script], { cwd: app, encoding: 'utf8' });
    assert.equal(names.trim(), 'KalamDB,KalamDBError,isKalamDBError,sql');
  });

  for (const resolution of ['bundler', 'nodenext'])
    test(`have types that are right by themselves (${resolution})`, () => {
      const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
      const module = resolution === 'bundler' ? 'esnext' : 'nodenext';
      execFileSync(process.execPath, [tsc, '-p', app, '--moduleResolution', resolution, '--module', module], {
        stdio: 'inherit',
      });
    });
});

describe('vite build', () => {
  let server;
  before(async () => {
    await build({ root: app, configFile: false, logLevel: 'error' });
    server = await preview({ root: app, configFile: false, logLevel: 'error', preview: { port: 0 } });
  });
  after(() => server?.close());

  test('runs in a worker', async () => {
    assert.deepEqual(await outcome(server.resolvedUrls.local[0]), ONE);
  });

  test('runs in the page', async () => {
    assert.deepEqual(await outcome(`${server.resolvedUrls.local[0]}?worker=no`), ONE);
  });

  test('copies the module once', () => {
    const assets = fs.readdirSync(path.join(app, 'dist/assets'));
    assert.equal(assets.filter((file) => file.endsWith('.wasm')).length, 1, assets.join());
  });
});

describe('vite dev', () => {
  let server;
  before(async () => {
    server = await createServer({ root: app, configFile: false, logLevel: 'error', server: { port: 0 } });
    await server.listen();
  });
  after(() => server?.close());

  test('runs in a worker, though Vite moves the main module', async () => {
    assert.deepEqual(await outcome(server.resolvedUrls.local[0]), ONE);
    assert.ok(fs.existsSync(path.join(app, 'node_modules/.vite/deps/kalamdb.js')));
  });

  test('runs in the page', async () => {
    assert.deepEqual(await outcome(`${server.resolvedUrls.local[0]}?worker=no`), ONE);
  });
});

describe('without a bundler', () => {
  let server;
  let cdn;
  before(async () => {
    server = await serve(app);
    cdn = await serve(path.join(app, 'node_modules/kalamdb'));
  });
  after(() => {
    server?.close();
    cdn?.close();
  });

  test('runs in a worker', async () => {
    assert.deepEqual(await outcome(`${server.url}bare.html`), ONE);
  });

  test('runs in the page', async () => {
    assert.deepEqual(await outcome(`${server.url}bare.html?worker=no`), ONE);
  });

  test('runs from another origin', async () => {
    assert.deepEqual(await outcome(`${server.url}bare.html?kalamdb=${cdn.url}kalamdb.js`), ONE);
  });

  test('runs when the module is served with the wrong type', async () => {
    const careless = await serve(app, { types: { '.wasm': 'text/plain' } });
    try {
      assert.deepEqual(await outcome(`${careless.url}bare.html`), ONE);
    } finally {
      careless.close();
    }
  });

  for (const [place, search] of [
    ['a worker', ''],
    ['the page', '?worker=no'],
  ])
    test(`runs in ${place} when the connection breaks twice while the module comes`, async () => {
      const unsteady = await serve(app, { cuts: { '.wasm': 2 } });
      try {
        assert.deepEqual(await outcome(`${unsteady.url}bare.html${search}`), ONE);
      } finally {
        unsteady.close();
      }
    });

  test('says so when the connection always breaks', async () => {
    const broken = await serve(app, { cuts: { '.wasm': 3 } });
    try {
      assert.match(
        String(await outcome(`${broken.url}bare.html`)),
        /loaded from .*kalamdb\.wasm: .*\(served as application\/wasm\)$/,
      );
      // The next try is a new one.
      assert.deepEqual(await outcome(`${broken.url}bare.html`), ONE);
    } finally {
      broken.close();
    }
  });
});

describe('esbuild', () => {
  let server;
  before(async () => {
    const options = { bundle: true, format: 'esm', splitting: true, minify: true, logLevel: 'error' };
    await esbuild({ ...options, entryPoints: [path.join(app, 'main.ts')], outdir: path.join(app, 'bundled') });
    const html = fs.readFileSync(path.join(app, 'index.html'), 'utf8').replace('./main.ts', './bundled/main.js');
    fs.writeFileSync(path.join(app, 'bundled.html'), html);
    server = await serve(app);
  });
  after(() => server?.close());

  const page = (search) => outcome(`${server.url}bundled.html?${new URLSearchParams(search)}`);

  test('runs with URLs that are given', async () => {
    const folder = 'node_modules/kalamdb';
    const urls = { wasmUrl: `${folder}/kalamdb.wasm`, workerUrl: `${folder}/kalamdb-worker.js` };
    assert.deepEqual(await page(urls), ONE);
    assert.deepEqual(await page({ ...urls, worker: 'no' }), ONE);
  });

  test('says which file is missing', async () => {
    assert.match(String(await page({})), /^engine_crashed: .*kalamdb-worker\.js/);
    assert.match(String(await page({ worker: 'no' })), /^engine_crashed: .*bundled\/kalamdb\.wasm: HTTP status 404/);
  });
});
