import type { ErrorPayload } from '../errors/errors.js';
import type { Call, CallResult } from './calls.js';
import type { EngineEvent } from './events.js';

/** A call with an id of its own. */
export interface CallRequest {
  id: number;
  call: Call;
}

/** The response to the call with that id. */
export type CallResponse =
  | { type: 'done'; id: number; result: CallResult }
  | { type: 'failed'; id: number; error: ErrorPayload };

/** Fewer bytes are copied: that is sooner done than to give them away. */
export const MIN_TRANSFER_BYTES = 4096;

/** Messages to an engine. `cancel` gives up the call with that id, which gets a response all the same. */
export type ToEngine = { type: 'calls'; calls: CallRequest[] } | { type: 'cancel'; id: number };

/**
 * What an engine sends: one response for each call, and events. It comes in the order in which it happened: an event that a call has
 * caused comes before the response to that call.
 */
export type FromEngine = CallResponse | { type: 'event'; event: EngineEvent };

/**
 * Messages to the worker. The first is `start`, or `warmUp` to one that only compiles code for others. The worker sends lists of
 * {@link FromEngine}.
 */
export type ToWorker =
  | { type: 'start'; wasmUrl: string; warmsUp: boolean }
  | { type: 'warmUp'; module: WebAssembly.Module }
  | ToEngine;
