// Runs sqllogictest files in SQLite's form through PGlite, and counts as `corpus --sqlite --label postgresql` does.
//   node tests/slt/pglite.mjs [--every N] PATH...
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { PGlite } from '@electric-sql/pglite';

const { values: options, positionals } = parseArgs({
  options: { every: { type: 'string', default: '1' } },
  allowPositionals: true,
});
const every = Number(options.every);

// Values stay the texts that PostgreSQL sends.
const TYPES = [16, 17, 20, 21, 23, 25, 114, 700, 701, 1042, 1043, 1082, 1114, 1184, 1700, 2950, 3802];
const parsers = Object.fromEntries(TYPES.map((type) => [type, (text) => text]));

function files(path) {
  if (!statSync(path).isDirectory()) return [path];
  const entries = readdirSync(path, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() || entry.name.endsWith('.test'),
  );
  return entries.flatMap((entry) => files(join(path, entry.name))).sort();
}

// As SQLite's own runner prints: integers, three decimals, or the text.
function printed(value, type) {
  if (value === null) return 'NULL';
  const text = { t: '1', f: '0', true: '1', false: '0' }[String(value)] ?? String(value);
  if (type === 'I')
    return /^[+-]?\d+$/.test(text) ? String(BigInt(text)) : String(Math.trunc(Number.parseFloat(text) || 0));
  if (type === 'R') return (Number.parseFloat(text) || 0).toFixed(3);
  return text === '' ? '(empty)' : text.replace(/[^ -~]/g, '@');
}

function compareRows(a, b) {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : a[at] < b[at] ? -1 : 1;
}

function matches(rows, { types, sort, expected }) {
  const printedRows = rows.map((row) => row.map((value, at) => printed(value, types[at])));
  if (sort === 'rowsort') printedRows.sort(compareRows);
  const values = printedRows.flat();
  if (sort === 'valuesort') values.sort();
  const hashed = expected.length === 1 ? /^(\d+) values hashing to ([0-9a-f]{32})$/.exec(expected[0]) : null;
  if (!hashed) return values.length === expected.length && values.every((value, at) => value === expected[at]);
  const hash = createHash('md5')
    .update(values.map((value) => `${value}\n`).join(''))
    .digest('hex');
  return values.length === Number(hashed[1]) && hash === hashed[2];
}

// The records of a file, without those for other engines.
function* records(file) {
  const lines = readFileSync(file, 'utf8').split(/\r?\n/);
  const block = (ends) => {
    const taken = [];
    while (at < lines.length && !ends(lines[at].trim())) taken.push(lines[at++]);
    return taken;
  };
  let at = 0;
  let isSkipped = false;
  while (at < lines.length) {
    const [word, ...rest] = lines[at++].split('#')[0].trim().split(/\s+/);
    if (word === 'onlyif' || word === 'skipif') {
      isSkipped ||= (rest[0] === 'postgresql') === (word === 'skipif');
    } else if (word === 'halt' && !isSkipped) {
      return;
    } else if (word === 'statement' || word === 'query') {
      const sql = block((line) => line === '' || line === '----').join('\n');
      const expected = [];
      if (lines[at]?.trim() === '----') {
        at++;
        expected.push(...block((line) => line === '').map((line) => line.trim()));
      }
      const record = { word, sql, expected, types: rest[0], sort: rest[1], fails: rest[0] === 'error', isSkipped };
      isSkipped = false;
      yield record;
    } else if (word !== '') {
      isSkipped = false;
    }
  }
}

const tallies = new Map();
const reasons = new Map();
for (const file of positionals.flatMap(files)) {
  const tally = tallies.get(dirname(file)) ?? { passed: 0, failed: 0, skipped: 0 };
  tallies.set(dirname(file), tally);
  const database = await PGlite.create({ parsers });
  let queries = 0;
  for (const record of records(file)) {
    if (record.isSkipped) {
      tally.skipped++;
      continue;
    }
    let failure;
    if (record.word === 'query') {
      if (++queries % every !== 0) continue;
      const result = await database.query(record.sql, [], { rowMode: 'array', parsers }).catch((error) => error);
      if (result instanceof Error) failure = result.message;
      else if (!matches(result.rows, record)) failure = 'other rows';
    } else {
      const error = await database.exec(record.sql).then(
        () => undefined,
        (error) => error,
      );
      if (record.fails === (error === undefined))
        failure = error?.message ?? 'succeeds where the file expects an error';
    }
    if (failure === undefined) tally.passed++;
    else {
      tally.failed++;
      const reason = `${record.word}: ${failure.replace(/\d+/g, '#')}`;
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
  }
  await database.close();
}
for (const [folder, { passed, failed, skipped }] of tallies) {
  const percent = ((100 * passed) / Math.max(passed + failed, 1)).toFixed(3);
  process.stdout.write(`${percent.padStart(7)} %  ${passed} passed ${failed} failed ${skipped} skipped  ${folder}\n`);
}
for (const [reason, count] of [...reasons].sort((a, b) => b[1] - a[1]).slice(0, 60))
  process.stdout.write(`${count}  ${reason}\n`);
