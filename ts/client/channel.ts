import type { Ask, Replies } from '../protocol/calls.js';

/** What statements are asked of: a session, or a transaction of one. @internal */
export interface Channel {
  /** @throws {@link KalamDBError} when nothing can be asked any more */
  requireOpen(): void;
  call<A extends Ask>(ask: A): Promise<Replies[A['kind']]>;
  /** An id for a stream, which no other has. */
  newId(): number;
  /** Takes note of the sequence number of a commit that has been acknowledged. */
  committed(seq: number | null | undefined): void;
  /** Takes note of whether SQL text has begun a transaction that has not ended. */
  inTransaction(isInTransaction: boolean): void;
}
