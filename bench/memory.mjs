// Measures how much memory it takes to load many rows: README.md lists the options.
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { serve } from '../xtask/serve.mjs';
import { bundle, dist } from './build.mjs';
import { withPage, withProfile } from './chromium.mjs';
import { rows } from './data.mjs';
import { parse } from './databases.mjs';
import { Sampler } from './processes.mjs';

const { values: options } = parseArgs({
  options: {
    db: { type: 'string', default: 'kalamdb:relaxed,duckdb:memory,duckdb:opfs' },
    rows: { type: 'string', default: '1000000' },
    batch: { type: 'string', default: '0' },
    runs: { type: 'string', default: '1' },
  },
});

const SAMPLE_MS = 25;
const SETTLE_MS = 5000;

function expected(count) {
  const state = { n: 0, total: 0, qty: 0 };
  for (const [, , , amount, qty] of rows(1, count)) {
    state.n += 1;
    state.total += amount;
    state.qty += qty;
  }
  return state;
}

const settle = () => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

/** Loads the rows once into a new database in a new browser. */
function measure(url, database) {
  return withProfile((profile) =>
    withPage(profile, (page) => load(page, profile, url, database), '--js-flags=--expose-gc'),
  );
}

async function load(page, profile, url, { name, settings }) {
  const query = { database: name, settings: JSON.stringify(settings), count: options.rows, batch: options.batch };
  await page.goto(`${url}memory.html?${new URLSearchParams(query)}`);
  const step = (which) => page.evaluate((given) => window.steps[given](), which);
  const collect = () => page.evaluate(() => globalThis.gc());
  const sampler = new Sampler(profile);
  await step('open');
  await step('make');
  await collect();
  const before = sampler.now();
  sampler.start(SAMPLE_MS);
  const ms = await step('load');
  const peak = sampler.stop();
  await settle();
  await collect();
  const after = sampler.now();
  const answer = await step('check');
  const breakdown = await page.evaluate(async () =>
    'measureUserAgentSpecificMemory' in performance ? performance.measureUserAgentSpecificMemory() : null,
  );
  await step('close');
  return { ms, before, peak, after, answer, scripts: breakdown?.bytes ?? 0 };
}

const databases = options.db.split(',').map(parse);
await bundle([...new Set(databases.map(({ name }) => name))]);
const server = await serve(dist, {
  headers: {
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'cross-origin-resource-policy': 'same-origin',
  },
});
const right = expected(Number(options.rows));
const mib = (bytes) => Math.round(bytes / 1024 / 1024).toLocaleString('en');
console.log(
  '| MiB | load, s | before | peak | peak above before | after | all processes, peak above before | page and worker after |',
);
console.log('|---|--:|--:|--:|--:|--:|--:|--:|');
try {
  for (let run = 0; run < Number(options.runs); run += 1) {
    for (const database of databases) {
      const { ms, before, peak, after, answer, scripts } = await measure(server.url, database);
      const cells = [
        (ms / 1000).toFixed(1),
        mib(before.renderer),
        mib(peak.renderer),
        mib(peak.renderer - before.renderer),
        mib(after.renderer),
        mib(peak.all - before.all),
        mib(scripts),
      ];
      console.log(`| ${database.spec} | ${cells.join(' | ')} |`);
      if (!isDeepStrictEqual(answer, right)) {
        console.error(`${database.spec}: WRONG: ${JSON.stringify(answer)}, not ${JSON.stringify(right)}`);
        process.exitCode = 1;
      }
    }
  }
} finally {
  server.close();
}
