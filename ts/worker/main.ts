import { makeBindings } from 'kalamdb:bindings';
import type { Reply } from '../engine/calls.js';
import { Host } from '../engine/host.js';
import { Instance } from '../engine/instance.js';
import { compile } from '../engine/load.js';
import { toPayload } from '../errors.js';
import type { FromWorker, ToWorker } from './protocol.js';

/** The part of the worker's global scope that is used; the types of the page know no worker. */
interface WorkerScope {
  readonly indexedDB?: IDBFactory;
  postMessage(message: FromWorker, transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<ToWorker>) => void): void;
}

const scope = self as unknown as WorkerScope;
let host: Host | undefined;

scope.addEventListener('message', ({ data }) => {
  if (data.type === 'start') {
    // The browser opens the origin's storage while the module compiles. What is listed does not matter.
    void scope.indexedDB?.databases?.().catch(() => undefined);
    const instance = new Instance(makeBindings, compile(data.wasmUrl));
    instance.onDeath((error) => {
      scope.postMessage({ type: 'crashed', message: error.message } satisfies FromWorker, []);
    });
    host = new Host(instance);
    return;
  }
  void answer(data.id, host?.handle(data.call));
});

async function answer(id: number, outcome: Promise<Reply> | undefined): Promise<void> {
  try {
    const reply = await outcome;
    const transfer = reply instanceof Uint8Array ? [reply.buffer as ArrayBuffer] : [];
    scope.postMessage({ type: 'done', id, reply } satisfies FromWorker, transfer);
  } catch (error) {
    scope.postMessage({ type: 'failed', id, error: toPayload(error) } satisfies FromWorker, []);
  }
}
