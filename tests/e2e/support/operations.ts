import type { Random } from './random.js';

/** The columns of the table `items` besides its key `id`. */
export interface Item {
  /** Number of the last operation that wrote the row. */
  readonly op: number;
  readonly value: number;
}

/**
 * One statement that the writing page is told to run, as data: the page makes SQL of it,
 * and {@link apply} does to the model what it should have done to the table.
 */
export type Operation = { readonly number: number } & (
  | { readonly type: 'insert'; readonly how: 'statement' | 'rows'; readonly firstId: number; readonly count: number }
  | { readonly type: 'update'; readonly modulus: number; readonly remainder: number; readonly add: number }
  | { readonly type: 'delete'; readonly modulus: number; readonly remainder: number }
  | { readonly type: 'event' }
);

/** What the database holds: `items` by key, and for each number in `events` how many rows have it. */
export interface State {
  readonly items: Map<number, Item>;
  readonly events: Map<number, number>;
}

/** The value that a row is inserted with. */
export function firstValue(id: number): number {
  return id * 3;
}

/** Does to a state what an operation does to the database. */
export function apply(state: State, operation: Operation): void {
  const op = operation.number;
  switch (operation.type) {
    case 'insert':
      for (let id = operation.firstId; id < operation.firstId + operation.count; id += 1) {
        state.items.set(id, { op, value: firstValue(id) });
      }
      return;
    case 'update':
      for (const [id, { value }] of matching(state, operation))
        state.items.set(id, { op, value: value + operation.add });
      return;
    case 'delete':
      for (const [id] of matching(state, operation)) state.items.delete(id);
      return;
    case 'event':
      state.events.set(op, 1);
  }
}

/** Whether a state shows a trace of an operation that may or may not have happened after `before`. */
export function hasTrace(actual: State, before: State, operation: Operation): boolean {
  switch (operation.type) {
    case 'insert':
    case 'update':
      return [...actual.items.values()].some((item) => item.op === operation.number);
    case 'delete':
      return matching(before, operation).some(([id]) => !actual.items.has(id));
    case 'event':
      return actual.events.has(operation.number);
  }
}

function matching(state: State, rule: { readonly modulus: number; readonly remainder: number }): [number, Item][] {
  return [...state.items].filter(([id]) => id % rule.modulus === rule.remainder);
}

/** Makes up operations, each with a number of its own and new ids to insert. */
export class OperationSource {
  readonly #random: Random;
  #number = 0;
  #nextId = 1;

  constructor(random: Random) {
    this.#random = random;
  }

  /** One operation, or several inserts that are to be sent without waiting for one another. */
  next(): Operation[] {
    const random = this.#random;
    switch (random.between(1, 7)) {
      case 1:
        return [this.#insert('statement', 1)];
      case 2:
        return [this.#insert('statement', random.between(2, 60))];
      case 3:
        return [this.#insert('rows', 500)];
      case 4: {
        const modulus = random.between(2, 5);
        const remainder = random.between(0, modulus - 1);
        return [{ number: this.#take(), type: 'update', modulus, remainder, add: random.between(1, 1000) }];
      }
      case 5: {
        const modulus = random.between(3, 9);
        return [{ number: this.#take(), type: 'delete', modulus, remainder: random.between(0, modulus - 1) }];
      }
      case 6:
        return [{ number: this.#take(), type: 'event' }];
      default:
        return Array.from({ length: random.between(2, 8) }, () => this.#insert('statement', random.between(1, 3)));
    }
  }

  #insert(how: 'statement' | 'rows', count: number): Operation {
    const firstId = this.#nextId;
    this.#nextId += count;
    return { number: this.#take(), type: 'insert', how, firstId, count };
  }

  #take(): number {
    this.#number += 1;
    return this.#number;
  }
}
