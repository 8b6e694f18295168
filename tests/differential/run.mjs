// Random queries on the engine and on PostgreSQL, compared: see README.md.
//   node tests/differential/run.mjs [--queries N] [--seed N] [--jobs N] [--shrink] [--report FILE] [--engine PROGRAM]

import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { KNOWN } from './known.mjs';
import { listed } from './machine/reach.mjs';
import { WORLD_SIZE } from './machine/world.mjs';

const { values: options } = parseArgs({
  options: {
    queries: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(Math.min(availableParallelism(), 8)) },
    shrink: { type: 'boolean', default: false },
    report: { type: 'string' },
    engine: {
      type: 'string',
      default: fileURLToPath(new URL('../../target/debug/kalamdb-differential', import.meta.url)),
    },
  },
});

/** So many cases of each kind are shown. */
const SHOWN = 12;

/** So many statements reach every function. */
const ENOUGH = 10_000;

const total = Number(options.queries);
const worlds = Array.from({ length: Math.ceil(total / WORLD_SIZE) }, (_, at) => ({
  seed: Number(options.seed) * 1_000_003 + at,
  count: Math.min(WORLD_SIZE, total - at * WORLD_SIZE),
}));

const results = [];
const print = (text) => process.stdout.write(`${text}\n`);

function work() {
  return new Promise((resolve, reject) => {
    const workerData = { program: options.engine, shrinks: options.shrink };
    const worker = new Worker(new URL('./machine/worker.mjs', import.meta.url), { workerData });
    worker.on('message', (result) => {
      if (result) results.push(result);
      worker.postMessage(worlds.shift() ?? 'end');
    });
    worker.on('error', reject);
    worker.on('exit', resolve);
  });
}

/** The items by their key, the most frequent first. */
function grouped(items, key) {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups].sort(([, a], [, b]) => b.length - a.length);
}

/** The share of statements that may differ until what they show is mended. It only goes down. A trap fails every run. */
const MAX_DIFFERING = 0.002;

const withoutNumbers = (text) => text.replace(/\d+/g, '#');

/** Each kind of difference with its smallest cases. */
function report(differences) {
  const lines = [];
  for (const [signature, ones] of grouped(differences, (one) => one.signature)) {
    lines.push(`## ${ones.length} x ${signature}`, '');
    const smallest = ones.sort((a, b) => b.isSmall - a.isSmall || a.sql.length - b.sql.length);
    for (const { setup, sql, ours, peer, seed } of smallest.slice(0, SHOWN)) {
      lines.push(
        ...setup.map((statement) => `  ${statement};`),
        `  ${sql}`,
        `    ours: ${ours}`,
        `    peer: ${peer}`,
        `    world ${seed}`,
        '',
      );
    }
  }
  return lines;
}

/** Every known difference has its line in the documentation. */
function checkKnown() {
  const page = readFileSync(new URL('../../docs/sql.md', import.meta.url), 'utf8').replace(/\s+/g, ' ');
  const silent = KNOWN.filter(({ says }) => !page.includes(says));
  if (silent.length > 0) throw new Error(`docs/sql.md does not say: ${silent.map(({ says }) => says).join('; ')}`);
}

/** What docs/functions.md lists and no statement has used; few statements cannot reach all. */
function unreachedFunctions() {
  if (total < ENOUGH) return [];
  const reached = new Set(results.flatMap((result) => result.reached));
  return [...listed()].filter((name) => !reached.has(name));
}

const start = Date.now();
checkKnown();
await Promise.all(Array.from({ length: Number(options.jobs) }, work));

const ran = results.reduce((sum, result) => sum + result.ran, 0);
const found = results.flatMap((result) => result.differences);
const differences = found.filter(({ known }) => !known);
const unreached = unreachedFunctions();
const lines = report(differences);
for (const [about, ones] of grouped(
  found.filter(({ known }) => known),
  ({ known }) => known,
))
  lines.push(`${ones.length} x known: ${about}`);
for (const [message, ones] of grouped(
  results.flatMap((result) => result.failedInBoth),
  withoutNumbers,
))
  lines.push(`${ones.length} x failed in both: ${message}`);
if (unreached.length > 0) lines.push(`not reached, though docs/functions.md lists them: ${unreached.join(' ')}`);
if (options.report) writeFileSync(options.report, lines.join('\n'));
else print(lines.join('\n'));
print(`${ran} statements in ${Math.round((Date.now() - start) / 1000)} s`);
// As the test runner of Node closes: xtask reads these.
const traps = differences.filter(({ kind }) => kind === 'trap');
const isOver = differences.length > ran * MAX_DIFFERING;
if (isOver) print(`more than ${MAX_DIFFERING * 100} % differ`);
const failed = isOver ? differences.length : traps.length;
print(`${differences.length} differ: see --report`);
print(`# pass ${ran - failed}\n# fail ${failed + unreached.length}`);
process.exitCode = failed + unreached.length > 0 ? 1 : 0;
