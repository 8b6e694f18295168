import { failure, isKalamDBError } from '../errors/errors.js';
import type { Call, CallResults, EngineOptions, SessionRef } from '../protocol/calls.js';
import type { AssetLocation } from '../transport/locate.js';
import { startTransport } from '../transport/start.js';
import type { Transport } from '../transport/transport.js';
import { InFlight } from './in-flight.js';

/** The name of databases that are never kept. */
export const MEMORY = 'memory:';

/** How a connection is opened, and opened again. @internal */
export interface ConnectionSettings {
  engine: EngineOptions;
  /** Whether a database in memory does where there is no storage. */
  fallBackToMemory: boolean;
  location: AssetLocation;
}

/** An open database and the engine that holds it; after a crash the next call opens it again in a new engine. */
export class Connection {
  readonly #settings: ConnectionSettings;
  /** The name it was opened by; MEMORY also when that was the fallback. */
  readonly name: string;
  #transport: Transport;
  #reopening: Promise<Transport> | undefined;
  #closing: Promise<void> | undefined;
  readonly #inFlight = new InFlight();
  #lastId = 0;
  #durableSeq = 0;

  private constructor(name: string, settings: ConnectionSettings, transport: Transport) {
    this.name = name;
    this.#settings = settings;
    this.#transport = transport;
    globalThis.document?.addEventListener('visibilitychange', this.#onVisibility);
  }

  static async open(name: string, settings: ConnectionSettings): Promise<Connection> {
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

  /** The greatest sequence number of the commits that have been acknowledged; 0 before the first. */
  get durableSeq(): number {
    return this.#durableSeq;
  }

  /** Takes note of the sequence number of a commit that has been acknowledged. */
  committed(seq: number | null | undefined): void {
    this.#durableSeq = Math.max(this.#durableSeq, seq ?? 0);
  }

  /** An id for a session, a transaction or a stream, which no other has. */
  newId(): number {
    return ++this.#lastId;
  }

  async call<C extends Call>(call: C): Promise<CallResults[C['kind']]> {
    this.requireOpen();
    return this.#inFlight.track(this.#callEngine(call));
  }

  /** Asks the engine behind `transport` and no other: what it is asked about died with it, if it did. */
  async callOn<C extends Call>(transport: Transport, call: C): Promise<CallResults[C['kind']]> {
    this.requireOpen();
    return this.#inFlight.track(transport.call(call));
  }

  /** Begins a transaction of a session; gives its id and where it is. */
  async begin(session: SessionRef): Promise<{ id: number; transport: Transport }> {
    this.requireOpen();
    const id = this.newId();
    return this.#inFlight.track(this.#begin(session, id));
  }

  async #begin(session: SessionRef, id: number): Promise<{ id: number; transport: Transport }> {
    const transport = this.#transport.crash === undefined ? this.#transport : await this.#reopen();
    await transport.call({ kind: 'begin', session, transaction: id });
    return { id, transport };
  }

  /** Forgets a session; an engine that is dead or closed has done so. */
  async end(session: SessionRef): Promise<void> {
    const transport = this.#transport;
    if (this.#closing !== undefined || transport.crash !== undefined) return;
    try {
      await this.callOn(transport, { kind: 'end', session });
    } catch (error) {
      if (transport.crash === undefined) throw error;
    }
  }

  /** A page that is hidden may be gone without notice: what is in the log by then is read when it is opened again. */
  readonly #onVisibility = (): void => {
    if (
      globalThis.document.visibilityState !== 'hidden' ||
      this.#closing !== undefined ||
      this.#transport.crash !== undefined
    )
      return;
    // Nobody waits for it, and nothing depends on it.
    this.#transport.call({ kind: 'hidden' }).catch(() => undefined);
  };

  /** Waits for the calls in flight, then closes. Every call of it gives the same promise. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    globalThis.document?.removeEventListener('visibilitychange', this.#onVisibility);
    await this.#inFlight.settled();
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

  async #callEngine<C extends Call>(call: C): Promise<CallResults[C['kind']]> {
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
async function openOrFallBack(transport: Transport, name: string, settings: ConnectionSettings): Promise<string> {
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
