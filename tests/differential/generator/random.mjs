// Random choices that a seed repeats.

/** The generator mulberry32: small, quick, and good enough to choose among SQL. */
export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
    // Neighbouring seeds begin alike.
    for (let i = 0; i < 4; i++) this.next();
  }

  /** A number from 0 to below 1. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Whether something of this chance happens. */
  chance(probability) {
    return this.next() < probability;
  }

  /** An integer from `low` to `high`. */
  int(low, high) {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** One of the items. */
  pick(items) {
    return items[Math.floor(this.next() * items.length)];
  }

  /** One of the values, each with its weight: `[[weight, value], ...]`. */
  weighted(choices) {
    let left = this.next() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of choices) {
      left -= weight;
      if (left < 0) return value;
    }
    return choices.at(-1)[1];
  }

  /** Between `low` and `high` of the items, in random order. */
  some(items, low, high) {
    const left = [...items];
    const taken = [];
    for (let count = this.int(low, Math.min(high, left.length)); count > 0; count--) {
      taken.push(...left.splice(Math.floor(this.next() * left.length), 1));
    }
    return taken;
  }

  /** So many things, each made anew. */
  times(count, make) {
    return Array.from({ length: count }, (_, index) => make(index));
  }
}
