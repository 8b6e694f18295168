import type { Call, Reply } from '../engine/calls.js';
import type { ErrorPayload } from '../errors.js';

/** Messages to the worker. The first is `start`; each call has an id of its own. */
export type ToWorker = { type: 'start'; wasmUrl: string } | { type: 'call'; id: number; call: Call };

/** Messages from the worker: one answer a call, or the news that there will be no more answers. */
export type FromWorker =
  | { type: 'done'; id: number; reply: Reply }
  | { type: 'failed'; id: number; error: ErrorPayload }
  | { type: 'crashed'; message: string };
