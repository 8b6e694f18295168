import type { Call } from '../protocol/calls.js';
import type { CallRequest } from '../protocol/messages.js';

/** Calls in their order, together where a session asks for the same statement again and again. */
export function runsOf(calls: readonly CallRequest[]): CallRequest[][] {
  const runs: CallRequest[][] = [];
  for (const asked of calls) {
    const last = runs.at(-1);
    if (last?.[0] !== undefined && isSameStatement(last[0].call, asked.call)) last.push(asked);
    else runs.push([asked]);
  }
  return runs;
}

function isSameStatement(a: Call, b: Call): boolean {
  if (a.kind !== 'query' || b.kind !== 'query') return false;
  return a.session.id === b.session.id && a.sql === b.sql && a.systemColumns === b.systemColumns;
}
