import type { KalamDBError } from '../errors/errors.js';
import type { Call, Replies, Reply } from '../protocol/calls.js';
import type { AskedCall } from '../protocol/messages.js';

interface Settle {
  resolve(reply: Reply): void;
  reject(error: KalamDBError): void;
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

  /** Adds a call, which `send` gets with its id. Rejects at once when everything has ended. */
  add<C extends Call>(call: C, send: (asked: AskedCall) => void): Promise<Replies[C['kind']]> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      // The engine answers a call with the reply of its kind.
      this.#calls.set(id, { resolve: (reply) => resolve(reply as Replies[C['kind']]), reject });
      send({ id, call });
    });
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
