import { makeBindings } from 'kalamdb:bindings';
import { Instance } from '../engine/instance.js';
import { compile } from '../engine/load.js';
import { EngineServer } from '../engine/server.js';
import { type FromEngine, MIN_TRANSFER_BYTES, type ToWorker } from '../protocol/messages.js';

/** The part of the worker's global scope that is used; the types of the page know no worker. */
interface WorkerScope {
  readonly indexedDB?: IDBFactory;
  postMessage(messages: FromEngine[], transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<ToWorker>) => void): void;
}

const scope = self as unknown as WorkerScope;
let server: EngineServer | undefined;

scope.addEventListener('message', ({ data }) => {
  if (data.type !== 'start') {
    server?.receive(data);
    return;
  }
  // The browser opens the origin's storage while the module compiles. What is listed does not matter.
  void scope.indexedDB?.databases?.().catch(() => undefined);
  const instance = new Instance(makeBindings, compile(data.wasmUrl));
  server = new EngineServer(instance, (messages) => scope.postMessage(messages, messages.flatMap(transferOf)));
});

function transferOf(message: FromEngine): Transferable[] {
  if (message.type !== 'done' || !(message.result instanceof Uint8Array)) return [];
  return message.result.byteLength < MIN_TRANSFER_BYTES ? [] : [message.result.buffer];
}
