import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { crashed, toPayload } from '../errors/errors.js';
import type { Call } from '../protocol/calls.js';
import type { EngineEvent } from '../protocol/events.js';
import type { FromEngine, ToWorker } from '../protocol/messages.js';
import { inlinePort } from '../transport/inline.js';
import { Transport } from '../transport/transport.js';
import { workerPort } from '../transport/worker.js';
import { TRAP_WASM } from './fake-engine.js';

const OPEN: Call = { kind: 'open', name: 'a', options: { durability: 'relaxed' } };
const exec = (sql: string): Call => ({
  kind: 'exec',
  sql,
  systemColumns: false,
  session: { id: 1, principal: { role: 'system' } },
});

/** The worker's script, run in this thread: what it and its page post to each other arrives in tasks of its own. */
class LocalWorker {
  onmessage: ((event: { data: FromEngine[] }) => void) | undefined;
  readonly #ready: Promise<(event: { data: ToWorker }) => void>;

  constructor() {
    this.#ready = new Promise((resolve) => {
      vi.stubGlobal('self', {
        postMessage: (data: FromEngine[]) => {
          setTimeout(() => this.onmessage?.({ data: structuredClone(data) }));
        },
        addEventListener: (_: string, listener: (event: { data: ToWorker }) => void) => resolve(listener),
      });
    });
    vi.resetModules();
    void import('../worker/main.js');
  }

  postMessage(message: ToWorker): void {
    const data = structuredClone(message);
    void this.#ready.then((listener) => setTimeout(() => listener({ data })));
  }

  terminate(): void {
    this.onmessage = undefined;
  }
}

beforeEach(() => {
  vi.stubGlobal('Worker', LocalWorker);
});
afterEach(() => vi.unstubAllGlobals());

const PORTS = [
  ['worker', () => workerPort(TRAP_WASM, 'worker.js')],
  ['page', () => inlinePort(TRAP_WASM)],
] as const;

describe.each(PORTS)('an engine in the %s', (_, port) => {
  test('tells its death once, to all listeners in their order, and then the calls reject', async () => {
    const transport = new Transport(await port());
    const told: [string, EngineEvent][] = [];
    transport.events.on('crashed', (event) => told.push(['first', event]));
    transport.events.on('crashed', (event) => told.push([`crash is ${transport.crash?.code}`, event]));
    await transport.call(OPEN);
    const calls = [transport.call(exec('wait for ever')), transport.call(exec('trap'))];
    for (const outcome of await Promise.allSettled(calls))
      expect(outcome).toMatchObject({ status: 'rejected', reason: transport.crash });
    expect(told.map(([who]) => who)).toEqual(['first', 'crash is engine_crashed']);
    const error = { code: 'engine_crashed', retryable: true, cause: { name: 'RuntimeError', message: 'unreachable' } };
    expect(told[0]?.[1]).toMatchObject({ kind: 'crashed', error });
    expect(transport.crash).toMatchObject({ ...error, message: 'the engine stopped working: unreachable' });
    await expect(transport.call(exec('x'))).rejects.toBe(transport.crash);
    transport.dispose();
    expect(told).toHaveLength(2);
  });
});

test('who has let go of an engine is told nothing', async () => {
  const [gone, other] = [new Transport(await inlinePort(TRAP_WASM)), new Transport(await inlinePort(TRAP_WASM))];
  const told: string[] = [];
  gone.events.on('crashed', () => told.push('gone'));
  other.events.on('crashed', () => told.push('other'));
  await Promise.all([gone.call(OPEN), other.call(OPEN)]);
  gone.dispose();
  await expect(other.call(exec('trap'))).rejects.toMatchObject({ code: 'engine_crashed' });
  expect(told).toEqual(['other']);
});

test('what an engine sends is handed on in its order', async () => {
  const order: string[] = [];
  let receive: (messages: FromEngine[]) => void = () => undefined;
  const transport = new Transport((listener) => {
    receive = listener;
    return { post: () => undefined, close: () => order.push('closed') };
  });
  transport.events.on('crashed', () => order.push('crashed'));
  const [one, two] = [transport.call(exec('a')), transport.call(exec('b'))];
  const settled = [one.then(() => order.push('one')), two.catch(() => order.push('two'))];
  const event = { kind: 'crashed', error: toPayload(crashed('gone')) } as const;
  receive([
    { type: 'done', id: 1, result: new Uint8Array(1) },
    { type: 'event', event },
  ]);
  expect(order, 'the port is let go of before listeners are told').toEqual(['closed', 'crashed']);
  await Promise.all(settled);
  expect(order.slice(2)).toEqual(['one', 'two']);
});
