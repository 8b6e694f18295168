import { makeBindings } from 'kalamdb:bindings';
import { Host } from '../engine/host.js';
import { Instance } from '../engine/instance.js';
import { compile } from '../engine/load.js';
import { toPayload } from '../errors/errors.js';
import type { Reply } from '../protocol/calls.js';
import { type Answer, type FromWorker, MIN_TRANSFER_BYTES, type ToWorker } from '../protocol/messages.js';
import { Outbox } from '../protocol/outbox.js';

/** The part of the worker's global scope that is used; the types of the page know no worker. */
interface WorkerScope {
  readonly indexedDB?: IDBFactory;
  postMessage(message: FromWorker, transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<ToWorker>) => void): void;
}

const scope = self as unknown as WorkerScope;
let host: Host | undefined;

const answers = new Outbox<Answer>((answers) => {
  scope.postMessage({ type: 'answers', answers } satisfies FromWorker, answers.flatMap(transferOf));
});

scope.addEventListener('message', ({ data }) => {
  if (data.type === 'start') {
    // The browser opens the origin's storage while the module compiles. What is listed does not matter.
    void scope.indexedDB?.databases?.().catch(() => undefined);
    const instance = new Instance(makeBindings, compile(data.wasmUrl));
    instance.onDeath((error) => {
      answers.flush();
      scope.postMessage({ type: 'crashed', message: error.message } satisfies FromWorker, []);
    });
    host = new Host(instance);
    return;
  }
  if (data.type === 'cancel') {
    // Who asked hears of the engine's death by the answer to the call.
    host?.cancel(data.id).catch(() => undefined);
    return;
  }
  const outcomes = host?.handleAll(data.calls);
  for (const [at, { id }] of data.calls.entries()) void answer(id, outcomes?.[at]);
});

async function answer(id: number, outcome: Promise<Reply> | undefined): Promise<void> {
  try {
    const reply = await outcome;
    answers.add({ type: 'done', id, reply });
  } catch (error) {
    answers.add({ type: 'failed', id, error: toPayload(error) });
  }
}

function transferOf(answer: Answer): Transferable[] {
  if (answer.type !== 'done' || !(answer.reply instanceof Uint8Array)) return [];
  return answer.reply.byteLength < MIN_TRANSFER_BYTES ? [] : [answer.reply.buffer];
}
