import wasmUrl from 'kalamdb/kalamdb.wasm?url';
import workerUrl from 'kalamdb/kalamdb-worker.js?url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Call } from '../../ts/protocol/calls.js';
import type { CallResponse, FromEngine, ToWorker } from '../../ts/protocol/messages.js';

/** A worker that is spoken to in messages. */
class Engine {
  readonly #worker = new Worker(new URL(workerUrl, location.href), { type: 'module' });
  readonly #waiting = new Map<number, (response: CallResponse) => void>();
  #lastId = 0;

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<FromEngine[]>) => {
      for (const message of data) if (message.type !== 'event') this.#waiting.get(message.id)?.(message);
    };
    this.#post({ type: 'start', wasmUrl: new URL(wasmUrl, location.href).href, warmsUp: false });
  }

  /** Sends a call; gives what cancels it, and its response. */
  send(call: Call): { cancel: () => void; response: Promise<CallResponse> } {
    this.#lastId += 1;
    const id = this.#lastId;
    const response = new Promise<CallResponse>((resolve) => this.#waiting.set(id, resolve));
    this.#post({ type: 'calls', calls: [{ id, call }] });
    return { cancel: () => this.#post({ type: 'cancel', id }), response };
  }

  /** Sends a call that must be done. */
  async do(call: Call): Promise<void> {
    expect(await this.send(call).response).toMatchObject({ type: 'done' });
  }

  terminate(): void {
    this.#worker.terminate();
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}

const session = { id: 1, principal: { role: 'system' } };
const statement = (sql: string) => ({ sql, params: new Uint8Array(0), systemColumns: false, session });
const query = (sql: string): Call => ({ kind: 'query', ...statement(sql) });
const canceled = { type: 'failed', error: { code: 'query_canceled', sqlState: '57014' } };
/** Nine thousand million rows are joined for it. */
const ENDLESS = 'SELECT a.id FROM t a JOIN t b ON a.v = b.v WHERE a.id + b.id < 0';

let engine: Engine;
beforeEach(async () => {
  engine = new Engine();
  await engine.do({ kind: 'open', name: 'memory:', options: { durability: 'relaxed' } });
  await engine.do(query('CREATE TABLE t (id BIGINT PRIMARY KEY, v BIGINT)'));
  await engine.do(query('INSERT INTO t SELECT value, value % 10 FROM generate_series(1, 300000)'));
});
afterEach(() => engine.terminate());

const LONG: [string, Call][] = [
  ['query', query(ENDLESS)],
  ['text', { kind: 'exec', sql: ENDLESS, systemColumns: false, session }],
  ['stream', { kind: 'stream', ...statement(ENDLESS), stream: 7 }],
];
test.each(LONG)('a %s that is given up ends, and other calls are answered meanwhile', async (_, call) => {
  const { cancel, response } = engine.send(call);
  await engine.do(query('SELECT v FROM t WHERE id = 5'));
  await engine.do(query('INSERT INTO t VALUES (0, 0)'));
  cancel();
  expect(await response).toMatchObject(canceled);
  await engine.do(query('SELECT count(*) FROM t'));
});

test('a stream that is given up ends in the middle', async () => {
  const sql = `SELECT id FROM t WHERE id = 5 UNION ALL ${ENDLESS}`;
  await engine.do({ kind: 'stream', ...statement(sql), stream: 7 });
  const next: Call = { kind: 'next', stream: 7, session };
  await engine.do(next);
  const { cancel, response } = engine.send(next);
  await engine.do(query('SELECT v FROM t WHERE id = 5'));
  cancel();
  expect(await response).toMatchObject(canceled);
  expect(await engine.send(next).response).toMatchObject({ type: 'failed', error: { code: 'undefined_object' } });
});
