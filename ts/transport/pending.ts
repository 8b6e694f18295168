import { failure, type KalamDBError } from '../errors/errors.js';
import type { Call, Replies, Reply } from '../protocol/calls.js';
import type { AskedCall } from '../protocol/messages.js';

interface Settle {
  resolve(reply: Reply): void;
  reject(error: KalamDBError): void;
}

/** Where calls are sent. A call that is given up has been sent before. */
export interface Port {
  send(asked: AskedCall): void;
  cancel(id: number): void;
}

/** The calls that wait for an answer, by id. */
export class PendingCalls {
  readonly #calls = new Map<number, Settle>();
  #lastId = 0;
  #end: KalamDBError | undefined;

  /** The error that ended everything. */
  get end(): KalamDBError | undefined {
    return this.#end;
  }

  /** Sends a call with an id of its own. Rejects at once when everything has ended, or the call is given up already. */
  add<C extends Call>(call: C, port: Port, signal?: AbortSignal): Promise<Replies[C['kind']]> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    if (signal?.aborted) return Promise.reject(failure('query_canceled', 'the caller has given the statement up'));
    const id = ++this.#lastId;
    const reply = new Promise<Replies[C['kind']]>((resolve, reject) => {
      // The engine answers a call with the reply of its kind.
      this.#calls.set(id, { resolve: (reply) => resolve(reply as Replies[C['kind']]), reject });
      port.send({ id, call });
    });
    if (signal === undefined) return reply;
    const cancel = (): void => port.cancel(id);
    signal.addEventListener('abort', cancel, { once: true });
    return reply.finally(() => signal.removeEventListener('abort', cancel));
  }

  resolve(id: number, reply: Reply): void {
    this.#take(id)?.resolve(reply);
  }

  reject(id: number, error: KalamDBError): void {
    this.#take(id)?.reject(error);
  }

  /** Rejects every call, those that come later too. Only the first error counts. */
  rejectAll(error: KalamDBError): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
  }

  #take(id: number): Settle | undefined {
    const settle = this.#calls.get(id);
    this.#calls.delete(id);
    return settle;
  }
}
