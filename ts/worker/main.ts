import { makeBindings } from 'kalamdb:bindings';
import { Instance } from '../engine/instance.js';
import { compile } from '../engine/load.js';
import { EngineServer } from '../engine/server.js';
import { type FromEngine, MIN_TRANSFER_BYTES, type ToWorker } from '../protocol/messages.js';
import { startWarmUp, warmUp } from './warm-up.js';

/** The part of the worker's global scope that is used; the types of the page know no worker. */
interface WorkerScope {
  readonly indexedDB?: IDBFactory;
  postMessage(messages: FromEngine[], transfer: Transferable[]): void;
  close(): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<ToWorker>) => void): void;
}

const scope = self as unknown as WorkerScope;
let server: EngineServer | undefined;

scope.addEventListener('message', ({ data }) => {
  switch (data.type) {
    case 'start':
      start(data.wasmUrl, data.warmsUp);
      break;
    case 'warmUp':
      // Nobody waits for it, whether it is done or not.
      void warmUp(data.module)
        .catch(() => undefined)
        .finally(() => scope.close());
      break;
    default:
      server?.receive(data);
  }
});

function start(wasmUrl: string, warmsUp: boolean): void {
  // The browser opens the origin's storage while the module compiles. What is listed does not matter.
  void scope.indexedDB?.databases?.().catch(() => undefined);
  const module = compile(wasmUrl);
  const send = (messages: FromEngine[]): void => scope.postMessage(messages, messages.flatMap(transferOf));
  server = new EngineServer(new Instance(makeBindings, module), send, () => {
    if (warmsUp) void startWarmUp(module);
  });
}

function transferOf(message: FromEngine): Transferable[] {
  if (message.type !== 'done' || !(message.result instanceof Uint8Array)) return [];
  return message.result.byteLength < MIN_TRANSFER_BYTES ? [] : [message.result.buffer];
}
