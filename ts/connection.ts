import type { Call, Replies } from './engine/calls.js';
import { failure, isKalamDBError } from './errors.js';
import type { Settings } from './options.js';
import { startTransport } from './transport/start.js';
import type { Transport } from './transport/transport.js';

/** The name of databases that are never kept. */
export const MEMORY = 'memory:';

/** An open database and the engine that holds it; after a crash the next call opens it again in a new engine. */
export class Connection {
  readonly #settings: Settings;
  /** The name it was opened by; MEMORY also when that was the fallback. */
  readonly name: string;
  #transport: Transport;
  #reopening: Promise<Transport> | undefined;
  #closing: Promise<void> | undefined;
  readonly #inFlight = new Set<Promise<unknown>>();

  private constructor(name: string, settings: Settings, transport: Transport) {
    this.name = name;
    this.#settings = settings;
    this.#transport = transport;
  }

  static async open(name: string, settings: Settings): Promise<Connection> {
    const transport = await startTransport(settings.location);
    try {
      const opened = await openOrFallBack(transport, name, settings);
      return new Connection(opened, settings, transport);
    } catch (error) {
      transport.dispose();
      throw error;
    }
  }

  /** @throws {@link KalamDBError} `database_closed` after `close` was called */
  requireOpen(): void {
    if (this.#closing !== undefined) throw failure('database_closed', `the database "${this.name}" is closed`);
  }

  async call<C extends Call>(call: C): Promise<Replies[C['kind']]> {
    this.requireOpen();
    const answer = this.#ask(call);
    this.#inFlight.add(answer);
    try {
      return await answer;
    } finally {
      this.#inFlight.delete(answer);
    }
  }

  /** Waits for the calls in flight, then closes. Every call of it gives the same promise. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
    const transport = this.#transport;
    try {
      if (transport.crash === undefined) await transport.call({ kind: 'close' });
    } catch (error) {
      // An engine that is dead is as closed as it can be.
      if (transport.crash === undefined) throw error;
    } finally {
      transport.dispose();
    }
  }

  async #ask<C extends Call>(call: C): Promise<Replies[C['kind']]> {
    const transport = this.#transport.crash === undefined ? this.#transport : await this.#reopen();
    return transport.call(call);
  }

  /** Opens the database in a new engine; calls that come meanwhile wait for the same one. */
  #reopen(): Promise<Transport> {
    this.#reopening ??= this.#startAgain().finally(() => {
      this.#reopening = undefined;
    });
    return this.#reopening;
  }

  async #startAgain(): Promise<Transport> {
    // The data of a database in memory died with its engine.
    if (this.name === MEMORY) throw this.#transport.crash;
    const transport = await startTransport(this.#settings.location);
    try {
      await transport.call({ kind: 'open', name: this.name, options: this.#settings.engine });
    } catch (error) {
      transport.dispose();
      throw error;
    }
    this.#transport = transport;
    return transport;
  }
}

/** Opens the database, or one in memory if that is allowed and there is no storage; gives the name of the one. */
async function openOrFallBack(transport: Transport, name: string, settings: Settings): Promise<string> {
  const options = settings.engine;
  try {
    await transport.call({ kind: 'open', name, options });
    return name;
  } catch (error) {
    const noStorage = isKalamDBError(error) && error.code === 'storage_unavailable';
    if (!noStorage || !settings.fallBackToMemory) throw error;
    await transport.call({ kind: 'open', name: MEMORY, options });
    return MEMORY;
  }
}
