import { expect } from '@playwright/test';
import { apply, hasTrace, type Operation, type State } from './operations.js';

/**
 * What the database must hold: everything that was acknowledged, and of what was begun and
 * not acknowledged each statement wholly or not at all.
 */
export class Ledger {
  readonly #state: State = { items: new Map(), events: new Map() };
  readonly #pending = new Map<number, Operation>();
  #acknowledged = 0;

  /** Statements that were acknowledged so far. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  begin(operation: Operation): void {
    this.#pending.set(operation.number, operation);
  }

  acknowledge(number: number): void {
    const operation = this.#pending.get(number);
    if (operation === undefined) throw new Error(`operation ${number} was acknowledged and never begun`);
    this.#pending.delete(number);
    apply(this.#state, operation);
    this.#acknowledged += 1;
  }

  /**
   * Compares with what was read from the database, and takes over what had happened without an answer.
   *
   * @returns how many statements had been begun and not acknowledged, and how many of them had happened
   */
  settle(actual: State): { unanswered: number; happened: number } {
    const unanswered = this.#pending.size;
    let happened = 0;
    for (const operation of this.#pending.values()) {
      if (!hasTrace(actual, this.#state, operation)) continue;
      apply(this.#state, operation);
      happened += 1;
    }
    this.#pending.clear();
    // Sorted arrays, so that a difference is shown as the rows that differ.
    expect(sorted(actual.events)).toEqual(sorted(this.#state.events));
    expect(actual.items.size).toBe(this.#state.items.size);
    const wrong = sorted(this.#state.items).filter(([id, { op, value }]) => {
      const item = actual.items.get(id);
      return item === undefined || item.op !== op || item.value !== value;
    });
    const examples = wrong.slice(0, 5).map(([id, expected]) => ({ id, expected, actual: actual.items.get(id) }));
    expect({ wrong: wrong.length, examples }).toEqual({ wrong: 0, examples: [] });
    return { unanswered, happened };
  }
}

function sorted<V>(map: ReadonlyMap<number, V>): [number, V][] {
  return [...map].sort(([a], [b]) => a - b);
}
