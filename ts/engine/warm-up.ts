import type { Engine } from './bindings.js';

/** A step is done when nobody has called for so long, in milliseconds. */
const IDLE_MS = 100;

/**
 * Lets the engine run small statements while nobody calls it: the browser compiles code when that runs for the first time, and
 * the first real statement finds it compiled.
 */
export class WarmUp {
  readonly #engine: Pick<Engine, 'warmUp'>;
  readonly #timer: ReturnType<typeof setInterval>;
  #running: Promise<void> | undefined;
  #wasCalled = false;

  constructor(engine: Pick<Engine, 'warmUp'>) {
    this.#engine = engine;
    this.#timer = setInterval(() => this.#tick(), IDLE_MS);
  }

  /** Puts the next step off. */
  called(): void {
    this.#wasCalled = true;
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  #tick(): void {
    const wasCalled = this.#wasCalled;
    this.#wasCalled = false;
    if (wasCalled) return;
    this.#running ??= this.#step().finally(() => {
      this.#running = undefined;
    });
  }

  async #step(): Promise<void> {
    if (!(await this.#engine.warmUp())) clearInterval(this.#timer);
  }
}
