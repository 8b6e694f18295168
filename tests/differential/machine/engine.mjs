// The engine under test: a process that answers a line of JSON with a line of JSON (src/).

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** How long a statement may take before the process is ended. */
const PATIENCE_MS = 30_000;

export class Engine {
  #program;
  #process = null;
  #waiting = [];

  constructor(program) {
    this.#program = program;
  }

  /** Begins an empty database. */
  reset() {
    return this.#ask('reset');
  }

  /** Runs a statement: `{ columns, rows, affected }`, or `{ error: { code, message } }` with the SQLSTATE; `trap` where the engine died. */
  async query(sql, parameters = [], withoutRules = []) {
    const params = parameters.map(({ by, text }) => (by === 'bool' ? { bool: text === 'true' } : { [by]: text }));
    const { result, error, panic } = await this.#ask({ query: { sql, params, withoutRules } });
    if (result) return result;
    if (panic !== undefined) return { error: { code: 'trap', message: panic }, trap: true };
    return { error: { code: error.sqlState, message: error.message } };
  }

  close() {
    this.#process?.stdin.end();
    this.#process = null;
  }

  #ask(request) {
    this.#process ??= this.#start();
    return new Promise((resolve) => {
      const patience = setTimeout(() => this.#process?.kill('SIGKILL'), PATIENCE_MS);
      this.#waiting.push((answer) => {
        clearTimeout(patience);
        resolve(answer);
      });
      this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    });
  }

  #start() {
    const child = spawn(this.#program, { stdio: ['pipe', 'pipe', 'ignore'] });
    createInterface({ input: child.stdout }).on('line', (line) => this.#waiting.shift()?.(JSON.parse(line)));
    // A write to a process that has died is answered by its exit.
    child.stdin.on('error', () => {});
    child.on('close', (code, signal) => {
      if (this.#process === child) this.#process = null;
      for (const answer of this.#waiting.splice(0)) answer({ panic: `the process ended with ${signal ?? code}` });
    });
    return child;
  }
}
