import type { CallResults, SessionCall } from '../protocol/calls.js';

/** What runs statements: a session, or a transaction of one. @internal */
export interface Channel {
  /** @throws {@link KalamDBError} when nothing can be asked any more */
  requireOpen(): void;
  call<C extends SessionCall>(call: C): Promise<CallResults[C['kind']]>;
  /** An id for a stream, which no other has. */
  newId(): number;
  /** Takes note of the sequence number of a commit that has been acknowledged. */
  committed(seq: number | null | undefined): void;
  /** Takes note of whether SQL text has begun a transaction that has not ended. */
  inTransaction(isInTransaction: boolean): void;
}
