// Compares databases in Chromium: README.md lists the options.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { serve } from '../xtask/serve.mjs';
import { runOnce } from './browser.mjs';
import { bundle, dist } from './build.mjs';
import { parse } from './databases.mjs';
import { medians, table } from './report.mjs';

const { values: options } = parseArgs({
  options: {
    db: { type: 'string', default: 'kalamdb:relaxed,sqlite:opfs,dexie:relaxed,pglite:opfs' },
    runs: { type: 'string', default: '3' },
    rows: { type: 'string', default: '100000' },
    singles: { type: 'string', default: '500' },
    burst: { type: 'string', default: '1000' },
    baseline: { type: 'string' },
    out: { type: 'string' },
  },
});

const number = (name) => {
  const value = Number(options[name]);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number above 0`);
  return value;
};

const databases = options.db.split(',').map(parse);
const baseline = parse(options.baseline ?? options.db.split(',')[0]).spec;
const size = { rows: number('rows'), singles: number('singles'), burst: number('burst') };
const runs = number('runs');
const started = new Date().toISOString();
const out = options.out ?? fileURLToPath(new URL(`./results/${started.replace(/[:.]/g, '-')}.json`, import.meta.url));

await bundle([...new Set(databases.map(({ name }) => name))]);
const server = await serve(dist, {
  cacheControl: 'public, max-age=3600',
  // Isolated pages have the finer clock.
  headers: {
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'cross-origin-resource-policy': 'same-origin',
  },
});

const results = [];
try {
  // Interleaved, so that a machine that is busy for a while slows all of them.
  for (let run = 1; run <= runs; run += 1) {
    for (const database of databases) {
      const { spec } = database;
      const load = loadavg()[0];
      try {
        const result = await runOnce(server.url, database, size);
        results.push({ spec, run, load, ...result });
        console.error(
          `${spec} run ${run}/${runs}${result.wrong.length > 0 ? ` WRONG: ${result.wrong.join(', ')}` : ''}`,
        );
      } catch (error) {
        results.push({ spec, run, load, error: error.message, times: {}, wrong: [] });
        console.error(`${spec} run ${run}/${runs} FAILED: ${error.message}`);
      }
    }
  }
} finally {
  server.close();
}

const byDatabase = medians(results);
console.log(table(byDatabase, baseline));
mkdirSync(dirname(out), { recursive: true });
const machine = { cpu: cpus()[0]?.model, cores: cpus().length };
writeFileSync(
  out,
  `${JSON.stringify({ started, machine, ...size, runs, baseline, medians: byDatabase, results }, null, 1)}\n`,
);
console.log(`\nwritten to ${relative(process.cwd(), out)}`);
if (results.some(({ error, wrong }) => error !== undefined || wrong.length > 0)) process.exitCode = 1;
