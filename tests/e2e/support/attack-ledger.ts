import { expect } from '@playwright/test';

type Outcome = 'acknowledged' | 'refused' | 'unknown';

/** One write of `pages/attack.js`. An operation on a side table names it by the number of the one that has made it. */
export type AttackOperation = { readonly number: number; readonly outcome: Outcome } & (
  | { readonly type: 'event' | 'create' }
  | { readonly type: 'mark' | 'delete'; readonly target: number }
  | { readonly type: 'items'; readonly count: number }
  | { readonly type: 'step'; readonly counter: number }
  | { readonly type: 'fill' | 'alter' | 'truncate' | 'drop'; readonly table: number }
);

/** What `pages/attack.js` reads. Rows are arrays in the order of the columns, and end with their `_seq`. */
export interface AttackRows {
  readonly events: readonly (readonly [op: number, marks: string, seq: number])[];
  readonly items: readonly (readonly [op: number, part: number, seq: number])[];
  readonly counters: readonly (readonly [id: number, n: number, seq: number])[];
  readonly steps: readonly (readonly [op: number, counter: number, seq: number])[];
  readonly tables: readonly { readonly table: string; readonly columns: readonly string[]; readonly ops: number[] }[];
}

/** So many are shown; where there is one there are soon thousands. */
const MAX_FAULTS = 20;

type SideTable = { readonly columns: readonly string[]; readonly ops: readonly number[] } | undefined;

/**
 * Compares the rows with what must be there: an acknowledged operation is there once, a refused one is not, and any other
 * is there wholly or not at all.
 *
 * @param operations - those of all pages; on one row or table in their order
 */
export function checkAttack(operations: readonly AttackOperation[], rows: AttackRows): void {
  expect(faults(operations, rows).slice(0, MAX_FAULTS)).toEqual([]);
}

/** What is wrong with the rows. */
function faults(operations: readonly AttackOperation[], rows: AttackRows): string[] {
  const is = <T extends AttackOperation['type']>(type: T) =>
    operations.filter((operation): operation is Extract<AttackOperation, { type: T }> => operation.type === type);
  const steps = is('step');
  return [
    ...eventFaults(is('event'), is('mark'), is('delete'), rows.events),
    ...countFaults(
      'items',
      is('items'),
      countBy(rows.items, ([op]) => op),
    ),
    ...countFaults(
      'steps',
      steps.map((step) => ({ ...step, count: 1 })),
      countBy(rows.steps, ([op]) => op),
    ),
    ...counterFaults(rows),
    ...sideFaults(operations, rows.tables),
    ...seqFaults(rows),
  ];
}

function eventFaults(
  events: readonly AttackOperation[],
  marks: readonly (AttackOperation & { target: number })[],
  deletes: readonly (AttackOperation & { target: number })[],
  rows: AttackRows['events'],
): string[] {
  const fates = new Map(deletes.map(({ target, outcome }) => [target, outcome]));
  const expected = events.map((event) => {
    const fate = fates.get(event.number);
    if (fate === 'acknowledged') return { ...event, outcome: 'refused' as const, count: 1 };
    return { ...event, outcome: fate === 'unknown' ? fate : event.outcome, count: 1 };
  });
  const found = countFaults(
    'events',
    expected,
    countBy(rows, ([op]) => op),
  );
  const due = new Map<number, { number: number; outcome: Outcome; count: 1 }[]>();
  for (const { target, number, outcome } of marks)
    due.set(target, [...(due.get(target) ?? []), { number, outcome, count: 1 }]);
  const markFaults = rows.flatMap(([op, text]) =>
    countFaults(`marks of event ${op}`, due.get(op) ?? [], countBy(text.split(' ').slice(1), Number)),
  );
  return [...found, ...markFaults];
}

/** Compares how often each operation is there with how often it may be; `count` is how many rows it has. */
function countFaults(
  where: string,
  operations: readonly (Pick<AttackOperation, 'number' | 'outcome'> & { count: number })[],
  found: ReadonlyMap<number, number>,
): string[] {
  const known = new Set(operations.map(({ number }) => number));
  const foreign = [...found.keys()].filter((number) => !known.has(number));
  const wrong = operations.flatMap(({ number, outcome, count }) => {
    const times = found.get(number) ?? 0;
    const isRight = (times === count && outcome !== 'refused') || (times === 0 && outcome !== 'acknowledged');
    return isRight ? [] : [`${where}: operation ${number} is ${outcome}, and ${times} of ${count} rows are there`];
  });
  return [...foreign.map((number) => `${where}: nobody has written ${number}`), ...wrong];
}

/** Each step has counted once, whoever's it is. */
function counterFaults({ counters, steps }: AttackRows): string[] {
  const counts = countBy(steps, ([, counter]) => counter);
  return counters
    .filter(([id, n]) => n !== (counts.get(id) ?? 0))
    .map(([id, n]) => `counter ${id} is ${n}, and there are ${counts.get(id) ?? 0} steps`);
}

function sideFaults(operations: readonly AttackOperation[], rows: AttackRows['tables']): string[] {
  const possible = new Map<string, SideTable[]>();
  for (const operation of operations) {
    const made = operation.type === 'create' ? operation.number : 'table' in operation ? operation.table : undefined;
    if (made === undefined || operation.outcome === 'refused') continue;
    const table = `side${made}`;
    const before = possible.get(table) ?? [undefined];
    const after = before.map((state) => applied(state, operation));
    possible.set(table, operation.outcome === 'unknown' ? [...before, ...after] : after);
  }
  const found = new Map(rows.map(({ table, columns, ops }) => [table, { columns, ops }]));
  const names = new Set([...possible.keys(), ...found.keys()]);
  return [...names].flatMap((name) => {
    const [state, states] = [
      JSON.stringify(found.get(name)),
      (possible.get(name) ?? [undefined]).map((of) => JSON.stringify(of)),
    ];
    return states.includes(state) ? [] : [`${name} is ${state}, and should be ${states.join(' or ')}`];
  });
}

function applied(table: SideTable, { type, number }: AttackOperation): SideTable {
  if (type === 'create') return { columns: ['op'], ops: [] };
  if (table === undefined || type === 'drop') return undefined;
  if (type === 'alter') return { ...table, columns: [...table.columns, `c${number}`] };
  return { ...table, ops: type === 'truncate' ? [] : [...table.ops, number, number, number] };
}

function seqFaults({ events, items, counters, steps }: AttackRows): string[] {
  const times = countBy([...events, ...items, ...counters, ...steps], (row) => Number(row.at(-1)));
  return [...times].filter(([, n]) => n > 1).map(([seq, n]) => `${n} rows have the _seq ${seq}`);
}

function countBy<T>(values: readonly T[], key: (value: T) => number): Map<number, number> {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(key(value), (counts.get(key(value)) ?? 0) + 1);
  return counts;
}
