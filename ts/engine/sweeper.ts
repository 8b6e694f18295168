import type { Engine } from './bindings.js';

/** How often events that are over are freed, in milliseconds. They are invisible already. */
const SWEEP_MS = 1000;

/** Lets the engine free the events of streams that are over, now and then. */
export class Sweeper {
  readonly #timer: ReturnType<typeof setInterval>;
  #sweep: Promise<unknown> = Promise.resolve();
  #isSweeping = false;

  constructor(engine: Engine) {
    this.#timer = setInterval(() => {
      if (this.#isSweeping || !engine.hasStreams()) return;
      this.#isSweeping = true;
      // A sweep that fails is made again.
      this.#sweep = engine
        .sweep()
        .catch(() => undefined)
        .finally(() => {
          this.#isSweeping = false;
        });
    }, SWEEP_MS);
  }

  /** Resolves when no sweep is under way any more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sweep;
  }
}
