/** The calls that have no response yet. @internal */
export class InFlight {
  readonly #calls = new Set<Promise<unknown>>();

  /** Gives what `call` gives, and counts it as under way until then. */
  async track<T>(call: Promise<T>): Promise<T> {
    this.#calls.add(call);
    try {
      return await call;
    } finally {
      this.#calls.delete(call);
    }
  }

  /** Resolves when the calls that are under way now have a response, whatever it is. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#calls);
  }
}
