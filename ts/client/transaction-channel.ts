import type { CallResults, SessionCall, SessionRef } from '../protocol/calls.js';
import type { Transport } from '../transport/transport.js';
import type { Channel } from './channel.js';
import type { Connection } from './connection.js';

/** A transaction in the engine. It is never opened again: when its engine dies, it is gone. @internal */
export class TransactionChannel implements Channel {
  readonly connection: Connection;
  readonly #session: Channel;
  readonly #transport: Transport;
  readonly #ref: SessionRef;
  #failure: unknown;

  constructor(session: Channel, transport: Transport, id: number) {
    this.connection = session.connection;
    this.#session = session;
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

  async call<C extends SessionCall>(call: C): Promise<CallResults[C['kind']]> {
    this.requireOpen();
    try {
      const result = this.connection.callOn(this.#transport, { ...call, session: this.#ref });
      return await (result as Promise<CallResults[C['kind']]>);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  /** Its end is a call of its own, and it is gone with its engine. */
  inTransaction(): void {}

  /** Undoes the transaction, also when its session has been closed meanwhile. */
  async rollback(): Promise<void> {
    await this.connection.callOn(this.#transport, { kind: 'rollback', session: this.#ref });
  }
}
