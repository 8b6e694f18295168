// Makes sure that the pinned Rust toolchain is there, then runs `cargo xtask` with the same arguments.
// Cargo cannot do this itself: where rustup's automatic installation is switched off, cargo does not start without the toolchain.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const pins = readFileSync(new URL('../rust-toolchain.toml', import.meta.url), 'utf8');

/** The strings of one key of rust-toolchain.toml, which holds only strings and lists of strings. */
function pinned(key) {
  const value = pins.match(new RegExp(`^${key}\\s*=\\s*(.*)$`, 'm'))?.[1] ?? '';
  return [...value.matchAll(/"([^"]*)"/g)].map((match) => match[1]);
}

/** What a command prints, or null if it fails. */
function read(command, ...args) {
  const { status, stdout } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return status === 0 ? stdout : null;
}

function fail(message) {
  console.error(`\nerror: ${message}`);
  process.exit(1);
}

function ensureToolchain() {
  const [channel] = pinned('channel');
  const components = pinned('components');
  const targets = pinned('targets');
  if (read('rustup', '--version') === null) {
    const rustc = read('rustc', '--version');
    if (rustc === null) fail(`this project is built with Rust ${channel}; install rustup first: https://rustup.rs`);
    console.error(`rustup is not here; going on with ${rustc.trim()} (the project is built with ${channel})`);
    return;
  }
  const installed = read('rustup', 'component', 'list', '--installed', '--toolchain', channel)?.split('\n') ?? null;
  const has = (name) => installed?.some((line) => line === name || line.startsWith(`${name}-`)) ?? false;
  const missing = [...components, ...targets.map((target) => `rust-std-${target}`)].filter((name) => !has(name));
  if (installed !== null && missing.length === 0) return;
  console.error(`installing Rust ${channel} with ${[...components, ...targets].join(', ')} (about a minute)`);
  const args = ['toolchain', 'install', channel, '--profile', 'minimal', '--no-self-update'];
  for (const component of components) args.push('--component', component);
  for (const target of targets) args.push('--target', target);
  if (spawnSync('rustup', args, { cwd: root, stdio: 'inherit' }).status !== 0) {
    fail(
      `rustup could not install Rust ${channel}; missing: ${installed === null ? 'the toolchain' : missing.join(', ')}`,
    );
  }
}

ensureToolchain();
const child = spawn('cargo', ['xtask', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => fail(`cargo does not start: ${error.message}`));
child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
