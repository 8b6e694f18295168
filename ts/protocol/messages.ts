import type { ErrorPayload } from '../errors/errors.js';
import type { Call, Reply } from './calls.js';

/** A call with an id of its own. */
export interface AskedCall {
  id: number;
  call: Call;
}

/** The answer to the call with that id. */
export type Answer = { type: 'done'; id: number; reply: Reply } | { type: 'failed'; id: number; error: ErrorPayload };

/** Fewer bytes are copied: that is sooner done than to give them away. */
export const MIN_TRANSFER_BYTES = 4096;

/** Messages to the worker. The first is `start`. `cancel` gives up the call with that id, which is answered all the same. */
export type ToWorker =
  | { type: 'start'; wasmUrl: string }
  | { type: 'calls'; calls: AskedCall[] }
  | { type: 'cancel'; id: number };

/** Messages from the worker: answers, one a call, or the news that there will be no more of them. */
export type FromWorker = { type: 'answers'; answers: Answer[] } | { type: 'crashed'; message: string };
