import { crashed, KalamDBError, messageOf } from '../errors/errors.js';
import type { Call, Replies } from '../protocol/calls.js';
import {
  type Answer,
  type AskedCall,
  type FromWorker,
  MIN_TRANSFER_BYTES,
  type ToWorker,
} from '../protocol/messages.js';
import { Outbox } from '../protocol/outbox.js';
import { locationHint } from './locate.js';
import { PendingCalls, type Port } from './pending.js';
import type { Transport } from './transport.js';

/** The engine in a worker of its own. */
export class WorkerTransport implements Transport {
  readonly #worker: Worker;
  readonly #pending = new PendingCalls();
  readonly #calls = new Outbox<AskedCall>((calls) => {
    this.#post({ type: 'calls', calls } satisfies ToWorker, calls.flatMap(transferOf));
  });
  readonly #port: Port = {
    send: (asked) => this.#calls.add(asked),
    cancel: (id) => {
      this.#calls.flush();
      this.#post({ type: 'cancel', id } satisfies ToWorker, []);
    },
  };
  readonly #script: string;
  /** Whether the worker ever sent anything. Until then an error means that its script did not load. */
  #answered = false;

  /** @param workerUrl - where the worker's script is; undefined for beside this module */
  constructor(wasmUrl: string, workerUrl: string | undefined) {
    this.#worker = startWorker(workerUrl);
    this.#script = workerUrl ?? `kalamdb-worker.js beside ${import.meta.url}`;
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(data);
    this.#worker.onmessageerror = () => this.#die('the engine sent a message that cannot be read');
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#die(this.#explain(event));
    };
    this.#post({ type: 'start', wasmUrl } satisfies ToWorker, []);
  }

  get crash(): KalamDBError | undefined {
    return this.#pending.end;
  }

  call<C extends Call>(call: C, signal?: AbortSignal): Promise<Replies[C['kind']]> {
    return this.#pending.add(call, this.#port, signal);
  }

  dispose(): void {
    this.#die('the engine was stopped');
  }

  #post(message: ToWorker, transfer: Transferable[]): void {
    this.#worker.postMessage(message, transfer);
  }

  #receive(message: FromWorker): void {
    this.#answered = true;
    switch (message.type) {
      case 'answers':
        for (const answer of message.answers) this.#settle(answer);
        break;
      case 'crashed':
        this.#die(message.message);
        break;
    }
  }

  #settle(answer: Answer): void {
    if (answer.type === 'done') this.#pending.resolve(answer.id, answer.reply);
    else this.#pending.reject(answer.id, new KalamDBError(answer.error));
  }

  #die(message: string): void {
    this.#worker.terminate();
    this.#pending.rejectAll(crashed(message));
  }

  #explain(event: ErrorEvent): string {
    if (this.#answered) return `the engine stopped working: ${event.message}`;
    const why = event.message ? `: ${event.message}` : '';
    return `the worker could not be started from ${this.#script}${why}${locationHint(import.meta.url)}`;
  }
}

function startWorker(url: string | undefined): Worker {
  try {
    // Bundlers look for exactly this expression.
    if (url === undefined) return new Worker(new URL('./kalamdb-worker.js', import.meta.url), { type: 'module' });
    return new Worker(url, { type: 'module' });
  } catch (error) {
    if (!(error instanceof DOMException && error.name === 'SecurityError'))
      throw crashed(`the worker could not be started: ${messageOf(error)}`, error);
    return startForeignWorker(url ?? beside('kalamdb-worker.js'));
  }
}

/** A worker must come from the page's own origin, but may import from others, such as a CDN. */
function startForeignWorker(url: string): Worker {
  const script = new Blob([`import ${JSON.stringify(url)};`], { type: 'text/javascript' });
  return new Worker(URL.createObjectURL(script), { type: 'module' });
}

/** A function, because bundlers would take the expression itself for an asset to copy. */
function beside(file: string): string {
  return new URL(file, import.meta.url).href;
}

function transferOf({ call }: AskedCall): Transferable[] {
  switch (call.kind) {
    case 'query':
    case 'stream':
      return call.params.byteLength < MIN_TRANSFER_BYTES ? [] : [call.params.buffer];
    case 'insert':
      return call.block.byteLength < MIN_TRANSFER_BYTES ? [] : [call.block.buffer];
    default:
      return [];
  }
}
