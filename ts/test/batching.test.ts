import { expect, test } from 'vitest';
import { runsOf } from '../engine/batching.js';
import type { Call } from '../protocol/calls.js';

const query = (sql: string, more: Partial<Extract<Call, { kind: 'query' }>> = {}): Call => ({
  kind: 'query',
  sql,
  params: new Uint8Array(0),
  systemColumns: false,
  session: { id: 1 },
  ...more,
});

test('calls for one statement are together, and all in their order', () => {
  const calls: Call[] = [
    query('a'),
    query('a'),
    query('b'),
    query('a'),
    query('a', { systemColumns: true }),
    query('a', { session: { id: 2 } }),
    query('a', { session: { id: 2 } }),
    { kind: 'exec', sql: 'a', systemColumns: false, session: { id: 2 } },
    { kind: 'exec', sql: 'a', systemColumns: false, session: { id: 2 } },
    { kind: 'close' },
  ];
  const asked = calls.map((call, at) => ({ id: at + 1, call }));
  const runs = runsOf(asked);
  expect(runs.map((run) => run.length)).toEqual([2, 1, 1, 1, 2, 1, 1, 1]);
  expect(runs.flat()).toEqual(asked);
});

test('of no calls there are no runs', () => {
  expect(runsOf([])).toEqual([]);
});
