import { beforeEach, expect, test } from 'vitest';
import { KalamDB, type OpenOptions } from '../api/index.js';
import type { Call } from '../protocol/calls.js';
import { inlinePort } from '../transport/inline.js';
import { Transport } from '../transport/transport.js';
import { log, TRAP_WASM } from './fake-engine.js';

const PAGE: OpenOptions = { worker: false, wasmUrl: TRAP_WASM };

beforeEach(() => {
  log.length = 0;
});

async function open(): Promise<KalamDB> {
  const db = await KalamDB.open('a', PAGE);
  log.length = 0;
  return db;
}

test('iterate asks for a batch when the rows before are taken', async () => {
  const db = await open();
  const texts: unknown[] = [];
  for await (const row of db.prepare('rows 3').iterate()) {
    texts.push(row);
    expect(log.filter((line) => line.startsWith('batch'))).toHaveLength(texts.length);
  }
  expect(texts).toEqual([{ text: '0' }, { text: '1' }, { text: '2' }]);
  expect(log).toEqual(['stream rows 3', 'batch 0', 'batch 1', 'batch 2', 'free stream']);
  await db.close();
});

test('leaving the loop frees the stream', async () => {
  const db = await open();
  for await (const row of db.prepare('rows 3').iterate()) {
    expect(row).toEqual({ text: '0' });
    break;
  }
  expect(log).toEqual(['stream rows 3', 'batch 0', 'free stream']);
  await db.close();
});

test('an error in the middle rejects, and the stream is over', async () => {
  const db = await open();
  const rows = db.prepare('rows-fail 3').iterate();
  expect(await rows.next()).toMatchObject({ value: { text: '0' } });
  await expect(rows.next()).rejects.toMatchObject({ code: 'division_by_zero' });
  expect(await rows.next()).toEqual({ value: undefined, done: true });
  expect(log).toEqual(['stream rows-fail 3', 'batch 0', 'free stream']);
  await db.close();
});

test('a stream that nobody ends is freed with its session', async () => {
  const db = await open();
  const session = db.session({ userId: 'alice' });
  await session.prepare('rows 3').iterate().next();
  expect(log.at(-1)).toMatch(/batch 0$/);
  await session.close();
  expect(log.filter((line) => line.endsWith('free stream'))).toHaveLength(1);
  await db.close();
});

test('a statement that is no query is run once', async () => {
  const db = await open();
  const rows = [];
  for await (const row of db.prepare('whole').iterate()) rows.push(row);
  expect(rows).toEqual([{ text: 'whole' }]);
  expect(log).toEqual(['query whole']);
  await db.close();
});

test('a call that is given up ends in the engine, and the others go on', async () => {
  const transport = new Transport(await inlinePort(TRAP_WASM));
  await transport.call({ kind: 'open', name: 'a', options: { durability: 'relaxed' } });
  const session = { id: 1, principal: { role: 'system' } };
  const ask = (sql: string): Call => ({ kind: 'exec', sql, systemColumns: false, session });
  const abort = new AbortController();
  const long = transport.call(ask('wait-until-canceled'), abort.signal);
  await transport.call(ask('other'));
  abort.abort();
  await expect(long).rejects.toMatchObject({ code: 'query_canceled' });
  const at = new AbortController();
  const sent = transport.call(ask('wait-until-canceled'), at.signal);
  at.abort();
  await expect(sent, 'in the task that sent it').rejects.toMatchObject({ code: 'query_canceled' });
  expect(await transport.call(ask('after'))).toBeInstanceOf(Uint8Array);
  transport.dispose();
});

test('a stream that is given up ends in the engine', async () => {
  const transport = new Transport(await inlinePort(TRAP_WASM));
  await transport.call({ kind: 'open', name: 'a', options: { durability: 'relaxed' } });
  const session = { id: 1, principal: { role: 'system' } };
  const statement = { sql: 'rows-wait', params: new Uint8Array(0), systemColumns: false };
  await transport.call({ kind: 'stream', ...statement, stream: 7, session });
  expect(await transport.call({ kind: 'next', stream: 7, session })).toBeInstanceOf(Uint8Array);
  const abort = new AbortController();
  const next = transport.call({ kind: 'next', stream: 7, session }, abort.signal);
  abort.abort();
  await expect(next).rejects.toMatchObject({ code: 'query_canceled' });
  expect(log.at(-1)).toBe('free stream');
  await expect(transport.call({ kind: 'next', stream: 7, session })).rejects.toMatchObject({
    code: 'undefined_object',
  });
  transport.dispose();
});
