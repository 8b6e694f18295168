import type { Connection } from './connection.js';
import type { Ask, Principal, Replies, SessionRef } from './engine/calls.js';
import { failure } from './errors.js';
import { InFlight } from './in-flight.js';
import type { Transport } from './transport/transport.js';

/** What statements are asked of: a session, or a transaction of one. @internal */
export interface Channel {
  /** @throws {@link KalamDBError} when nothing can be asked any more */
  requireOpen(): void;
  call<A extends Ask>(ask: A): Promise<Replies[A['kind']]>;
  /** Takes note of the sequence number of a commit that has been acknowledged. */
  committed(seq: number | null | undefined): void;
  /** Takes note of whether SQL text has begun a transaction that has not ended. */
  inTransaction(isInTransaction: boolean): void;
}

/** A session in the engine. After a crash the next call opens it again in the new engine. @internal */
export class EngineSession implements Channel {
  readonly #connection: Connection;
  #ref: SessionRef;
  readonly #inFlight = new InFlight();
  #closing: Promise<void> | undefined;

  constructor(connection: Connection, principal: Principal) {
    this.#connection = connection;
    this.#ref = { id: connection.newId(), principal };
  }

  requireOpen(): void {
    this.#connection.requireOpen();
    if (this.#closing === undefined) return;
    throw failure('database_closed', 'the session is closed', { hint: 'open another one with db.session()' });
  }

  async call<A extends Ask>(ask: A): Promise<Replies[A['kind']]> {
    this.requireOpen();
    const reply = this.#connection.call({ ...ask, session: this.#ref });
    return this.#inFlight.track(reply as Promise<Replies[A['kind']]>);
  }

  committed(seq: number | null | undefined): void {
    this.#connection.committed(seq);
  }

  inTransaction(isInTransaction: boolean): void {
    if (isInTransaction !== (this.#ref.isInTransaction ?? false)) this.#ref = { ...this.#ref, isInTransaction };
  }

  /** Begins a transaction in a session of its own, with the same principal and current namespace. */
  async begin(): Promise<EngineTransaction> {
    this.requireOpen();
    const { id, transport } = await this.#inFlight.track(this.#connection.begin(this.#ref));
    return new EngineTransaction(this, this.#connection, transport, id);
  }

  /** Waits for the calls in flight, then forgets the session. Every call of it gives the same promise. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#inFlight.settled();
    await this.#connection.end(this.#ref);
  }
}

/** A transaction in the engine. It is never opened again: when its engine dies, it is gone. @internal */
export class EngineTransaction implements Channel {
  readonly #session: EngineSession;
  readonly #connection: Connection;
  readonly #transport: Transport;
  readonly #ref: SessionRef;
  #failure: unknown;

  constructor(session: EngineSession, connection: Connection, transport: Transport, id: number) {
    this.#session = session;
    this.#connection = connection;
    this.#transport = transport;
    this.#ref = { id };
  }

  /** The last failure of a statement. */
  get failure(): unknown {
    return this.#failure;
  }

  requireOpen(): void {
    this.#session.requireOpen();
  }

  async call<A extends Ask>(ask: A): Promise<Replies[A['kind']]> {
    this.requireOpen();
    try {
      const reply = this.#connection.callOn(this.#transport, { ...ask, session: this.#ref });
      return await (reply as Promise<Replies[A['kind']]>);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  committed(seq: number | null | undefined): void {
    this.#connection.committed(seq);
  }

  /** Its end is a call of its own, and it is gone with its engine. */
  inTransaction(): void {}

  /** Undoes the transaction, also when its session has been closed meanwhile. */
  async rollback(): Promise<void> {
    await this.#connection.callOn(this.#transport, { kind: 'rollback', session: this.#ref });
  }
}
