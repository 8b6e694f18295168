// What a browser's processes hold in memory, from /proc: Linux only.
import { readdirSync, readFileSync } from 'node:fs';

/** The browser with this profile and the processes that it has started: `{ pid, type }`, where the browser itself has no type. */
function processesOf(profile) {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      const parent = /^PPid:\s+(\d+)$/m.exec(text(`/proc/${pid}/status`))?.[1];
      return { pid, parent, command: text(`/proc/${pid}/cmdline`).replaceAll('\0', ' ') };
    });
  const found = new Map(
    all.filter(({ command }) => command.includes(`--user-data-dir=${profile}`)).map((one) => [one.pid, one]),
  );
  // Parents may come after their children.
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const one of all) if (found.has(one.parent)) found.set(one.pid, one);
  }
  return [...found.values()].map(({ pid, command }) => ({ pid, type: /--type=(\S+)/.exec(command)?.[1] }));
}

function text(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It has ended.
    return '';
  }
}

/** The proportional set size of a process, in bytes: its own memory, and its part of what it shares. */
function memoryOf(pid) {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(text(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1024;
}

/** Looks at the memory of a browser again and again. */
export class Sampler {
  #profile;
  #timer;
  #processes;
  #peaks = { renderer: 0, all: 0 };

  constructor(profile) {
    this.#profile = profile;
  }

  /** Bytes now, of the processes that run pages and their workers, and of all. */
  now() {
    this.#processes = processesOf(this.#profile);
    return this.#measure();
  }

  #measure() {
    const sizes = this.#processes.map(({ pid, type }) => ({ type, bytes: memoryOf(pid) }));
    const sum = (some) => some.reduce((total, { bytes }) => total + bytes, 0);
    const measured = { renderer: sum(sizes.filter(({ type }) => type === 'renderer')), all: sum(sizes) };
    for (const name of Object.keys(measured)) this.#peaks[name] = Math.max(this.#peaks[name], measured[name]);
    return measured;
  }

  start(intervalMs) {
    this.#peaks = { renderer: 0, all: 0 };
    this.now();
    this.#timer = setInterval(() => this.#measure(), intervalMs);
  }

  /** Gives the most that was seen since the start. */
  stop() {
    clearInterval(this.#timer);
    this.now();
    return this.#peaks;
  }
}
