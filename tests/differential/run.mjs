// Random queries on the engine and on PostgreSQL, compared: see README.md.
//   node tests/differential/run.mjs [--queries N] [--seed N] [--jobs N] [--no-shrink] [--report FILE] [--engine PROGRAM]

import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { WORLD_SIZE } from './machine/world.mjs';

const { values: options } = parseArgs({
  options: {
    queries: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(Math.min(availableParallelism(), 8)) },
    'no-shrink': { type: 'boolean', default: false },
    report: { type: 'string' },
    engine: { type: 'string', default: fileURLToPath(new URL('../../target/debug/kalamdb-differential', import.meta.url)) },
  },
});

const total = Number(options.queries);
const worlds = Array.from({ length: Math.ceil(total / WORLD_SIZE) }, (_, at) => ({
  seed: Number(options.seed) * 1_000_003 + at,
  count: Math.min(WORLD_SIZE, total - at * WORLD_SIZE),
}));

const results = [];
const print = (text) => process.stdout.write(`${text}\n`);

function work() {
  return new Promise((resolve, reject) => {
    const workerData = { program: options.engine, shrinks: !options['no-shrink'] };
    const worker = new Worker(new URL('./machine/worker.mjs', import.meta.url), { workerData });
    worker.on('message', (result) => {
      if (result) results.push(result);
      worker.postMessage(worlds.shift() ?? 'end');
    });
    worker.on('error', reject);
    worker.on('exit', resolve);
  });
}

const start = Date.now();
await Promise.all(Array.from({ length: Number(options.jobs) }, work));

const differences = results.flatMap((result) => result.differences);
const ran = results.reduce((sum, result) => sum + result.ran, 0);
const failedInBoth = results.flatMap((result) => result.failedInBoth);

/** The items by their key, the most frequent first. */
function grouped(items, key) {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups].sort(([, a], [, b]) => b.length - a.length);
}

const lines = [];
for (const [signature, found] of grouped(differences, (one) => one.signature)) {
  lines.push(`## ${found.length} × ${signature}`);
  for (const one of found.filter(({ isSmall }) => isSmall).sort((a, b) => a.sql.length - b.sql.length)) {
    lines.push(...one.setup.map((statement) => `  ${statement};`), `  ${one.sql}`, `    ours: ${one.ours}`, `    peer: ${one.peer}`, `    seed ${one.seed}`, '');
  }
}
lines.push('## failed in both');
for (const [message, found] of grouped(failedInBoth, (text) => text.replace(/\d+/g, '#'))) lines.push(`  ${found.length} × ${message}`);
if (options.report) writeFileSync(options.report, lines.join('\n'));
else print(lines.join('\n'));
print(`${ran} queries in ${Math.round((Date.now() - start) / 1000)} s, ${failedInBoth.length} failed in both, ${differences.length} differ`);
process.exitCode = differences.length > 0 ? 1 : 0;
