import { expect } from '@playwright/test';
import type { Random } from './random.js';

/** All rows, as arrays in the order of the columns, each table sorted. */
export interface Rows {
  readonly items: readonly (readonly [id: number, page: number, op: number, value: number])[];
  readonly events: readonly (readonly [op: number])[];
  readonly counters: readonly (readonly [id: number, n: number])[];
  readonly steps: readonly (readonly [op: number, counter: number])[];
}

/** What one page is told to run; `pages/writer.js` makes SQL of it. Items are each page's own, the rest is everybody's. */
export type SharedOperation = { readonly number: number; readonly page: number } & (
  | { readonly type: 'insert'; readonly ids: readonly number[] }
  | { readonly type: 'update' | 'delete'; readonly modulus: number }
  | { readonly type: 'event' }
  | { readonly type: 'step'; readonly counter: number }
);

type Outcome = 'begun' | 'acknowledged' | 'refused';
type Items = Map<number, { readonly op: number; readonly value: number }>;

/** What several pages have written to one database, and what it must hold therefore. */
export class SharedLedger {
  readonly #random: Random;
  readonly #operations = new Map<number, SharedOperation>();
  readonly #outcomes = new Map<number, Outcome>();
  /** By page. An operation on items is sent alone, so that each page's have an order. */
  readonly #items = new Map<number, Items>();
  #nextId = 1;
  #lastNumber = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  count(outcome: Outcome): number {
    return [...this.#outcomes.values()].filter((other) => other === outcome).length;
  }

  /** The next operations of a page, to be sent all at once: at most one on items. */
  next(page: number): SharedOperation[] {
    const random = this.#random;
    const operations: SharedOperation[] = [];
    if (random.between(1, 4) > 1) operations.push(this.#onItems(page));
    for (let n = random.between(0, 3); n > 0; n -= 1) operations.push({ ...this.#number(page), type: 'event' });
    if (random.between(1, 4) === 1)
      operations.push({ ...this.#number(page), type: 'step', counter: random.between(0, 2) });
    if (operations.length === 0) operations.push({ ...this.#number(page), type: 'event' });
    for (const operation of operations) {
      this.#operations.set(operation.number, operation);
      this.#outcomes.set(operation.number, 'begun');
    }
    return operations;
  }

  acknowledge(number: number): void {
    const operation = this.#settle(number, 'acknowledged');
    apply(this.#itemsOf(operation.page), operation);
  }

  /** Nothing of the operation may be stored. */
  refuse(number: number): void {
    this.#settle(number, 'refused');
  }

  /**
   * A page was killed. What it had begun is stored wholly or not at all, as `rows` shows, and so for ever.
   *
   * @returns how many operations had no answer
   */
  killed(page: number, rows: Rows): number {
    const items = this.#itemsOf(page);
    const open = [...this.#operations.values()].filter(
      ({ number, page: of }) => of === page && this.#outcomes.get(number) === 'begun',
    );
    for (const operation of open) {
      const isStored = this.#isStored(operation, rows);
      this.#outcomes.set(operation.number, isStored ? 'acknowledged' : 'refused');
      if (isStored) apply(items, operation);
    }
    return open.length;
  }

  /** Compares the items of one page, or of all, and everything else, with what must be there. */
  check(rows: Rows, page?: number): void {
    const expected = [...this.#items]
      .filter(([of]) => page === undefined || of === page)
      .flatMap(([of, items]) => [...items].map(([id, { op, value }]) => [id, of, op, value] as const))
      .sort(([a], [b]) => a - b);
    expect(rows.items.filter(([, of]) => page === undefined || of === page)).toEqual(expected);
    const isOf = ([op]: readonly [number, ...unknown[]]): boolean =>
      page === undefined || this.#operations.get(op)?.page === page;
    expect(rows.events.filter(isOf).map(([op]) => op)).toEqual(this.#stored('event', page));
    expect(rows.steps.filter(isOf).map(([op]) => op)).toEqual(this.#stored('step', page));
    // Each step has counted once, whoever's it is.
    const counts = rows.counters.map(([id]) => [id, rows.steps.filter(([, counter]) => counter === id).length]);
    expect(rows.counters).toEqual(counts);
  }

  #stored(type: SharedOperation['type'], page: number | undefined): number[] {
    return [...this.#operations.values()]
      .filter((operation) => operation.type === type && (page === undefined || operation.page === page))
      .map(({ number }) => number)
      .filter((number) => this.#outcomes.get(number) === 'acknowledged');
  }

  #isStored(operation: SharedOperation, rows: Rows): boolean {
    const { number, page } = operation;
    switch (operation.type) {
      case 'insert':
      case 'update':
        return rows.items.some(([, , op]) => op === number);
      case 'delete': {
        const left = new Set(rows.items.map(([id]) => id));
        return [...this.#itemsOf(page).keys()].some((id) => id % operation.modulus === 0 && !left.has(id));
      }
      case 'event':
        return rows.events.some(([op]) => op === number);
      case 'step':
        return rows.steps.some(([op]) => op === number);
    }
  }

  #onItems(page: number): SharedOperation {
    const random = this.#random;
    const kind = random.between(1, 5);
    if (kind <= 3) {
      const ids = Array.from({ length: random.between(1, 30) }, (_value, at) => this.#nextId + at);
      this.#nextId += ids.length;
      return { ...this.#number(page), type: 'insert', ids };
    }
    return { ...this.#number(page), type: kind === 4 ? 'update' : 'delete', modulus: random.between(2, 6) };
  }

  #number(page: number): { number: number; page: number } {
    this.#lastNumber += 1;
    return { number: this.#lastNumber, page };
  }

  #settle(number: number, outcome: Outcome): SharedOperation {
    const operation = this.#operations.get(number);
    if (operation === undefined || this.#outcomes.get(number) !== 'begun')
      throw new Error(`operation ${number} is ${outcome}, and it is ${this.#outcomes.get(number) ?? 'unknown'}`);
    this.#outcomes.set(number, outcome);
    return operation;
  }

  #itemsOf(page: number): Items {
    const items = this.#items.get(page) ?? new Map();
    this.#items.set(page, items);
    return items;
  }
}

function apply(items: Items, operation: SharedOperation): void {
  switch (operation.type) {
    case 'insert':
      for (const id of operation.ids) items.set(id, { op: operation.number, value: id });
      return;
    case 'update':
      for (const [id, { value }] of items)
        if (id % operation.modulus === 0) items.set(id, { op: operation.number, value: value + 1 });
      return;
    case 'delete':
      for (const id of [...items.keys()]) if (id % operation.modulus === 0) items.delete(id);
      return;
    case 'event':
    case 'step':
  }
}
