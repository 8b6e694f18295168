import { failure } from '../errors/errors.js';
import type { CallResults, Principal, SessionCall, SessionRef } from '../protocol/calls.js';
import type { Channel } from './channel.js';
import type { Connection } from './connection.js';
import { InFlight } from './in-flight.js';
import { TransactionChannel } from './transaction-channel.js';

/** A session in the engine. After a crash the next call opens it again in the new engine. @internal */
export class SessionChannel implements Channel {
  readonly connection: Connection;
  #ref: SessionRef;
  readonly #inFlight = new InFlight();
  #closing: Promise<void> | undefined;

  constructor(connection: Connection, principal: Principal) {
    this.connection = connection;
    this.#ref = { id: connection.newId(), principal };
  }

  requireOpen(): void {
    this.connection.requireOpen();
    if (this.#closing === undefined) return;
    throw failure('database_closed', 'the session is closed', { hint: 'open another one with db.session()' });
  }

  async call<C extends SessionCall>(call: C): Promise<CallResults[C['kind']]> {
    this.requireOpen();
    const result = this.connection.call({ ...call, session: this.#ref });
    return this.#inFlight.track(result as Promise<CallResults[C['kind']]>);
  }

  inTransaction(isInTransaction: boolean): void {
    if (isInTransaction !== (this.#ref.isInTransaction ?? false)) this.#ref = { ...this.#ref, isInTransaction };
  }

  /** Begins a transaction in a session of its own, with the same principal and current namespace. */
  async begin(): Promise<TransactionChannel> {
    this.requireOpen();
    const { id, transport } = await this.#inFlight.track(this.connection.begin(this.#ref));
    return new TransactionChannel(this, transport, id);
  }

  /** Waits for the calls in flight, then forgets the session. Every call of it gives the same promise. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#inFlight.settled();
    await this.connection.end(this.#ref);
  }
}
