// Prints the sizes of the files that a browser downloads from pkg/, and fails if the module is over the budget.
// `--quick` is for a module without link-time optimisation: no brotli, no budget.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** The module's size after brotli -q 11. A commit that raises it says why. */
const BUDGET_BYTES = 4_650_000;

const quick = process.argv.includes('--quick');
const pkg = new URL('../pkg/', import.meta.url);
const cacheFile = new URL('../target/size-cache.json', import.meta.url);

// Brotli's best level takes a minute for the module, so that a size is kept with the hash of what it was measured on.
function readCache() {
  try {
    return JSON.parse(readFileSync(cacheFile, 'utf8'));
  } catch {
    return {};
  }
}

function brotliSize(bytes, known) {
  const key = createHash('sha256').update(bytes).digest('hex');
  known[key] ??= brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  }).length;
  return { key, size: known[key] };
}

const known = readCache();
const kept = {};
const rows = readdirSync(pkg, { recursive: true })
  .filter((name) => /\.(wasm|js)$/.test(name))
  .sort()
  .map((name) => {
    const bytes = readFileSync(new URL(name, pkg));
    const row = { name, raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: null };
    if (!quick) {
      const { key, size } = brotliSize(bytes, known);
      kept[key] = size;
      row.brotli = size;
    }
    return row;
  });
if (!quick) {
  mkdirSync(new URL('.', cacheFile), { recursive: true });
  writeFileSync(cacheFile, JSON.stringify(kept));
}

const cell = (bytes) => (bytes === null ? '-' : bytes.toLocaleString('en')).padStart(12);
console.log(`${'bytes'.padEnd(28)}${'raw'.padStart(12)}${'gzip -9'.padStart(12)}${'brotli -q 11'.padStart(14)}`);
for (const { name, raw, gzip, brotli } of rows)
  console.log(`${name.padEnd(28)}${cell(raw)}${cell(gzip)}  ${cell(brotli)}`);

const module = rows.find(({ name }) => name === 'kalamdb.wasm');
if (module === undefined) {
  console.error('pkg/kalamdb.wasm is not there: run `cargo xtask build`');
  process.exitCode = 1;
} else if (module.brotli !== null && module.brotli > BUDGET_BYTES) {
  console.error(
    `kalamdb.wasm is ${module.brotli - BUDGET_BYTES} bytes over the budget of ${BUDGET_BYTES} (brotli -q 11)`,
  );
  process.exitCode = 1;
}
