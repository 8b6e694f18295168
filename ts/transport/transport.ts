import { crashed, failure, KalamDBError } from '../errors/errors.js';
import type { Call, CallResult, CallResults } from '../protocol/calls.js';
import type { CallRequest, FromEngine } from '../protocol/messages.js';
import { Outbox } from '../protocol/outbox.js';
import { EventDispatcher } from './events.js';
import type { OpenPort, Port } from './port.js';

/** A call that waits for its response. */
interface Pending {
  resolve(result: CallResult): void;
  reject(error: KalamDBError): void;
}

/** The page's end of the protocol: a way to an engine that holds one database, in a worker or in the calling thread. */
export class Transport {
  /** What the engine tells without being asked. */
  readonly events: EventDispatcher = new EventDispatcher();
  readonly #port: Port;
  readonly #outbox = new Outbox<CallRequest>((calls) => this.#port.post({ type: 'calls', calls }));
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #crash: KalamDBError | undefined;

  constructor(open: OpenPort) {
    this.events.on('crashed', ({ error }) => this.#end(new KalamDBError(error)));
    this.#port = open((messages) => {
      for (const message of messages) this.#receive(message);
    });
  }

  /** Set when the engine died; nothing more can be asked through this transport. */
  get crash(): KalamDBError | undefined {
    return this.#crash;
  }

  /**
   * Asks the engine; calls may be made without waiting for earlier ones. The bytes of a call are given away.
   *
   * @param signal - gives the call up; it gets a response all the same, as it may have been too late
   * @throws {@link KalamDBError}; `engine_crashed` when the engine dies before it has responded
   */
  call<C extends Call>(call: C, signal?: AbortSignal): Promise<CallResults[C['kind']]> {
    if (this.#crash !== undefined) return Promise.reject(this.#crash);
    if (signal?.aborted) return Promise.reject(failure('query_canceled', 'the caller has given the statement up'));
    const id = ++this.#lastId;
    const result = new Promise<CallResults[C['kind']]>((resolve, reject) => {
      // The engine responds to a call with the result of its kind.
      this.#pending.set(id, { resolve: (result) => resolve(result as CallResults[C['kind']]), reject });
      this.#outbox.add({ id, call });
    });
    if (signal === undefined) return result;
    const cancel = (): void => this.#cancel(id);
    signal.addEventListener('abort', cancel, { once: true });
    return result.finally(() => signal.removeEventListener('abort', cancel));
  }

  /** Frees what the transport holds. The engine must have been closed. */
  dispose(): void {
    this.#end(crashed('the engine was stopped'));
  }

  #cancel(id: number): void {
    // The engine must know the call before.
    this.#outbox.flush();
    this.#port.post({ type: 'cancel', id });
  }

  #receive(message: FromEngine): void {
    switch (message.type) {
      case 'done':
        this.#take(message.id)?.resolve(message.result);
        break;
      case 'failed':
        this.#take(message.id)?.reject(new KalamDBError(message.error));
        break;
      case 'event':
        this.events.dispatch(message.event);
        break;
    }
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  /** Rejects every call, those that come later too, and lets go of the engine. Only the first error counts. */
  #end(error: KalamDBError): void {
    if (this.#crash !== undefined) return;
    this.#crash = error;
    this.#port.close();
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}
