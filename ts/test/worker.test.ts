import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KalamDB } from '../api/index.js';
import { crashed, payload, toPayload } from '../errors/errors.js';
import type { Call, CallResult } from '../protocol/calls.js';
import type { CallRequest, FromEngine, ToWorker } from '../protocol/messages.js';
import { Transport } from '../transport/transport.js';
import { workerPort } from '../transport/worker.js';
import { message, textMessage } from './message.js';

/** A worker of the tests: it records what is posted, and the test responds. */
class FakeWorker {
  static all: FakeWorker[] = [];
  readonly url: string;
  readonly posted: ToWorker[] = [];
  readonly transferred: Transferable[] = [];
  terminated = false;
  onmessage: ((event: { data: FromEngine[] }) => void) | undefined;
  onmessageerror: (() => void) | undefined;
  onerror: ((event: { message: string; preventDefault(): void }) => void) | undefined;

  constructor(url: string | URL) {
    this.url = String(url);
    FakeWorker.all.push(this);
  }

  postMessage(message: ToWorker, transfer: Transferable[]): void {
    this.posted.push(message);
    this.transferred.push(...transfer);
    if (message.type !== 'calls') return;
    for (const { id, call } of message.calls) {
      if (call.kind === 'open' || call.kind === 'close') this.send({ type: 'done', id, result: undefined });
      else if (call.kind === 'query' && call.sql.startsWith('ok'))
        this.send({ type: 'done', id, result: textMessage(call.sql) });
    }
  }

  /** The calls of all messages. */
  get calls(): CallRequest[] {
    return this.posted.flatMap((message) => (message.type === 'calls' ? message.calls : []));
  }

  send(...messages: FromEngine[]): void {
    queueMicrotask(() => this.onmessage?.({ data: messages }));
  }

  fail(message: string): void {
    this.onerror?.({ message, preventDefault: () => undefined });
  }

  terminate(): void {
    this.terminated = true;
  }
}

const HERE = { workerUrl: 'http://localhost/worker.js', wasmUrl: 'http://localhost/kalamdb.wasm' };

beforeEach(() => {
  FakeWorker.all = [];
  vi.stubGlobal('Worker', FakeWorker);
});
afterEach(() => vi.unstubAllGlobals());

async function open(): Promise<{ db: KalamDB; worker: FakeWorker }> {
  const db = await KalamDB.open('a', HERE);
  return { db, worker: FakeWorker.all.at(-1) as FakeWorker };
}

test('starts with the URL of the module and gives bytes away', async () => {
  const { db, worker } = await open();
  expect(worker.url).toBe(HERE.workerUrl);
  expect(worker.posted[0]).toMatchObject({ type: 'start', wasmUrl: HERE.wasmUrl });
  expect((await db.query('ok', [5])).rows).toEqual([{ text: 'ok' }]);
  expect(worker.transferred, 'few bytes are copied').toHaveLength(0);
  expect((await db.query('ok', ['x'.repeat(10_000)])).rows).toEqual([{ text: 'ok' }]);
  expect(worker.transferred).toHaveLength(1);
  await db.close();
  expect(worker.terminated).toBe(true);
});

test('responses find their calls in any order', async () => {
  const { db, worker } = await open();
  const calls = [db.query('a'), db.query('b'), db.query('c')];
  await vi.waitUntil(() => worker.calls.length === 4);
  const posted = worker.calls.flatMap(({ id, call }) => (call.kind === 'query' ? [{ id, sql: call.sql }] : []));
  for (const { id, sql } of posted.reverse()) worker.send({ type: 'done', id, result: textMessage(sql) });
  expect((await Promise.all(calls)).flatMap((result) => result.rows)).toEqual(
    ['a', 'b', 'c'].map((text) => ({ text })),
  );
  await db.close();
});

test('calls say which session they are of, and a transaction stays in its worker', async () => {
  const { db, worker } = await open();
  const session = db.session({ userId: 'alice', role: 'service' });
  const done = session.transaction((tx) => tx.query('ok'));
  const calls = (): Call[] => worker.calls.map(({ call }) => call);
  const respondToLast = (result: CallResult): void => worker.send({ type: 'done', id: calls().length, result });
  respondToLast(undefined);
  await vi.waitUntil(() => calls().at(-1)?.kind === 'commit');
  respondToLast(message({ command: 'COMMIT' }, []));
  expect((await done).rows).toEqual([{ text: 'ok' }]);
  const alice = { id: 2, principal: { userId: 'alice', role: 'service' } };
  expect(calls().slice(1)).toMatchObject([
    { kind: 'begin', session: alice, transaction: 3 },
    { kind: 'query', session: { id: 3 }, sql: 'ok' },
    { kind: 'commit', session: { id: 3 }, durability: 'relaxed' },
  ]);
  expect(calls()[2]).not.toHaveProperty('session.principal');
  await db.query('ok');
  expect(calls().at(-1)).toMatchObject({ session: { id: 1, principal: { role: 'system' } } });
  await db.close();
});

test('calls of one task are few messages, and so may their responses be', async () => {
  const { db, worker } = await open();
  const before = worker.posted.length;
  const calls = Array.from({ length: 300 }, (_, i) => db.query(`q${i}`));
  await vi.waitUntil(() => worker.calls.length === 301);
  expect(worker.posted.length - before).toBeLessThan(10);
  expect(worker.posted[before]).toMatchObject({ calls: [{ call: { sql: 'q0' } }] });
  const asked = worker.calls.slice(1);
  worker.send(...asked.map(({ id }) => ({ type: 'done', id, result: textMessage(`${id}`) }) as const));
  const texts = (await Promise.all(calls)).flatMap((result) => result.rows);
  expect(texts).toEqual(asked.map(({ id }) => ({ text: `${id}` })));
  await db.close();
});

test('an error of the engine keeps its fields', async () => {
  const { db, worker } = await open();
  const call = db.query('x');
  const error = {
    code: 'disk_full',
    sqlState: '53100',
    message: 'm',
    retryable: false,
    hint: 'h',
    cause: { name: 'QuotaExceededError', message: 'q' },
  } as const;
  worker.send({ type: 'failed', id: 2, error });
  const caught = await call.catch((reason: unknown) => reason);
  expect(caught).toMatchObject({ code: 'disk_full', sqlState: '53100', message: 'm', hint: 'h' });
  expect((caught as Error).cause).toMatchObject({ name: 'QuotaExceededError', message: 'q' });
  await db.close();
});

const deaths: [string, (worker: FakeWorker) => void, string][] = [
  [
    'a trap',
    (worker) => worker.send({ type: 'event', event: { kind: 'crashed', error: toPayload(crashed('unreachable')) } }),
    'unreachable',
  ],
  ['an error event', (worker) => worker.fail('boom'), 'boom'],
  ['a message that cannot be read', (worker) => worker.onmessageerror?.(), 'cannot be read'],
];
test.each(deaths)('%s rejects everything and starts another worker for the next call', async (_, kill, message) => {
  const { db, worker } = await open();
  const pending = [db.query('x'), db.exec('y')];
  kill(worker);
  for (const outcome of await Promise.allSettled(pending))
    expect(outcome).toMatchObject({
      status: 'rejected',
      reason: { code: 'engine_crashed', retryable: true, message: expect.stringContaining(message) },
    });
  expect(worker.terminated).toBe(true);
  expect((await db.query('ok again')).rows).toEqual([{ text: 'ok again' }]);
  expect(FakeWorker.all).toHaveLength(2);
  await db.close();
});

test('a script that does not load rejects open with its URL', async () => {
  const opening = KalamDB.open('a', HERE);
  await vi.waitUntil(() => FakeWorker.all.length === 1);
  FakeWorker.all[0]?.fail('');
  await expect(opening).rejects.toMatchObject({
    code: 'engine_crashed',
    message: expect.stringContaining(HERE.workerUrl),
  });
  expect(FakeWorker.all[0]?.terminated).toBe(true);
});

test('a call that is given up is told by its id, after it was sent', async () => {
  const transport = new Transport(workerPort(HERE.wasmUrl, HERE.workerUrl));
  const worker = FakeWorker.all.at(-1) as FakeWorker;
  const abort = new AbortController();
  const session = { id: 1, principal: { role: 'system' } };
  const ask = (sql: string): Call => ({ kind: 'exec', sql, systemColumns: false, session });
  const calls = [transport.call(ask('a')), transport.call(ask('b'), abort.signal)];
  abort.abort();
  expect(worker.calls.map(({ id }) => id)).toEqual([1, 2]);
  expect(worker.posted.at(-1)).toEqual({ type: 'cancel', id: 2 });
  worker.send({ type: 'done', id: 1, result: textMessage('a') });
  worker.send({ type: 'failed', id: 2, error: payload('query_canceled', 'given up') });
  const outcomes = await Promise.allSettled(calls);
  expect(outcomes).toMatchObject([{ status: 'fulfilled' }, { reason: { code: 'query_canceled' } }]);
  const posted = worker.posted.length;
  await expect(transport.call(ask('c'), abort.signal)).rejects.toMatchObject({ code: 'query_canceled' });
  expect(worker.posted, 'nothing is sent for one that is given up before').toHaveLength(posted);
  transport.dispose();
});

test('one worker of a page compiles common code ahead for all of them', async () => {
  vi.resetModules();
  const { workerPort: freshPort } = await import('../transport/worker.js');
  for (let at = 0; at < 3; at += 1) freshPort(HERE.wasmUrl, HERE.workerUrl)(() => undefined);
  expect(FakeWorker.all.map((worker) => worker.posted[0])).toEqual(
    [true, false, false].map((warmsUp) => ({ type: 'start', wasmUrl: HERE.wasmUrl, warmsUp })),
  );
});
