import type { CallResults, SessionCall } from '../protocol/calls.js';
import type { Connection } from './connection.js';

/** What runs statements: a session, or a transaction of one. @internal */
export interface Channel {
  readonly connection: Connection;
  /** @throws {@link KalamDBError} when nothing can be asked any more */
  requireOpen(): void;
  call<C extends SessionCall>(call: C): Promise<CallResults[C['kind']]>;
  /** Takes note of whether SQL text has begun a transaction that has not ended. */
  inTransaction(isInTransaction: boolean): void;
}
