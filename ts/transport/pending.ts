import type { Reply } from '../engine/calls.js';
import type { KalamDBError } from '../errors.js';

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

  /** Adds a call; `send` gets its id. Rejects at once when everything has ended. */
  add(send: (id: number) => void): Promise<Reply> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      send(id);
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
