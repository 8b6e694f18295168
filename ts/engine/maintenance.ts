import type { Engine } from './bindings.js';

/** How often the engine is asked whether anything is due, in milliseconds. */
const INTERVAL_MS = 1000;

/**
 * Lets the engine do what is due besides its calls: rows go from the log into segments, segments are merged, events that are
 * over are freed.
 *
 * Several tabs may do so at once without harm. A lock, taken only if nobody has it, keeps them from doing the same work twice.
 */
export class Maintenance {
  readonly #engine: Engine;
  readonly #lock: string;
  readonly #timer: ReturnType<typeof setInterval>;
  #running: Promise<void> | undefined;
  #isStopped = false;

  constructor(engine: Engine, name: string) {
    this.#engine = engine;
    this.#lock = `kalamdb/${name}/maintenance`;
    this.#timer = setInterval(() => void this.#run(false), INTERVAL_MS);
  }

  /** Does what is worth it before the page is gone. */
  beforeHidden(): Promise<void> {
    return this.#run(true);
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  #run(hidden: boolean): Promise<void> {
    // What fails is tried again the next time; system.jobs tells of it.
    this.#running ??= this.#withLock(() => this.#whatIsDue(hidden))
      .catch(() => undefined)
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  async #whatIsDue(hidden: boolean): Promise<void> {
    while (!this.#isStopped && (await this.#engine.maintain(hidden)));
  }

  async #withLock(work: () => Promise<void>): Promise<void> {
    // Pages without https have no locks.
    const locks = globalThis.navigator?.locks;
    if (locks === undefined) return work();
    await locks.request(this.#lock, { ifAvailable: true }, (lock) => (lock === null ? undefined : work()));
  }
}
