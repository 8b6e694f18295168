import type { KalamDBError } from '../errors/errors.js';
import type { Call, Replies } from '../protocol/calls.js';

/** A way to an engine that holds one database: in a worker, or in the calling thread. */
export interface Transport {
  /**
   * Asks the engine; calls may be made without waiting for earlier ones. The bytes of a call are given away.
   *
   * @param signal - gives the call up; it is answered all the same, as it may have been too late
   * @throws {@link KalamDBError}; `engine_crashed` when the engine dies before it has answered
   */
  call<C extends Call>(call: C, signal?: AbortSignal): Promise<Replies[C['kind']]>;
  /** Set when the engine died; nothing more can be asked through this transport. */
  readonly crash: KalamDBError | undefined;
  /** Frees what the transport holds. The engine must have been closed. */
  dispose(): void;
}
