import { failure } from '../errors/errors.js';
import type { CallResult, SessionCall, SessionRef } from '../protocol/calls.js';
import type { CallRequest } from '../protocol/messages.js';
import { runsOf } from './batching.js';
import type { Engine, EngineSession, EngineStream } from './bindings.js';
import type { Instance } from './instance.js';
import { Maintenance } from './maintenance.js';

/** What asks for rows. Whether a text is taken for such is of no consequence. */
const SELECT = /^\s*(?:select|with)\b/i;

/** Carries calls out on an instance, for one database. */
export class Host {
  readonly #instance: Instance;
  /** Called once, when rows are first asked for. */
  #onFirstQuery: (() => void) | undefined;
  #engine: Engine | undefined;
  #maintenance: Maintenance | undefined;
  readonly #sessions = new Map<number, EngineSession>();
  /** The streams that have not ended, with the sessions that they are of. */
  readonly #streams = new Map<number, { stream: EngineStream; session: number }>();

  constructor(instance: Instance, onFirstQuery: () => void) {
    this.#instance = instance;
    this.#onFirstQuery = onFirstQuery;
  }

  async handle({ id, call }: CallRequest): Promise<CallResult> {
    const bindings = await this.#instance.ready();
    switch (call.kind) {
      case 'open':
        this.#engine = await bindings.Engine.open(call.name, call.options);
        this.#maintenance = new Maintenance(this.#engine, call.name);
        return undefined;
      case 'end':
        this.#end(call.session.id);
        return undefined;
      case 'close': {
        const engine = this.#opened();
        this.#engine = undefined;
        await this.#maintenance?.stop();
        await engine.close();
        for (const id of this.#sessions.keys()) this.#end(id);
        engine.free();
        return undefined;
      }
      case 'hidden':
        await this.#maintenance?.beforeHidden();
        return undefined;
      case 'storage':
        return this.#opened().storage();
      case 'check':
        return this.#opened().check(id);
      case 'salvage':
        return this.#opened().salvage(id);
      case 'delete':
        await bindings.deleteDatabase(call.name);
        return undefined;
      case 'crash':
        bindings.crash();
        return undefined;
      default:
        return this.#callSession(this.#session(call.session), call, id);
    }
  }

  /** Carries out calls that came together, in their order; gives the outcome of each. */
  handleAll(calls: readonly CallRequest[]): Promise<CallResult>[] {
    return runsOf(calls).flatMap((run) => this.#insertEach(run) ?? run.map((asked) => this.handle(asked)));
  }

  /** The instance is dead: nothing is due in it any more. */
  stopBackground(): void {
    void this.#maintenance?.stop();
  }

  /** Gives a call up, if it is under way. */
  async cancel(id: number): Promise<void> {
    // As `handle` waits, so that the call has begun.
    await this.#instance.ready();
    this.#engine?.cancel(id);
  }

  /** Carries out a run of INSERTs by one call of the engine, which takes a fraction of the time; undefined for any other. */
  #insertEach(run: readonly CallRequest[]): Promise<CallResult>[] | undefined {
    const first = run[0]?.call;
    if (first?.kind !== 'query' || run.length < 2) return undefined;
    const session = this.#sessions.get(first.session.id);
    if (!session?.isPlainInsert(first.sql)) return undefined;
    const blocks = run.flatMap(({ call }) => (call.kind === 'query' ? [call.params] : []));
    // As `handle` waits, so that calls begin in their order.
    const outcomes = this.#instance.ready().then(() => session.insertEach(first.sql, blocks));
    return run.map(async (_, at) => {
      const outcome = (await outcomes)[at];
      if (outcome instanceof Uint8Array) return outcome;
      throw outcome;
    });
  }

  async #callSession(
    session: EngineSession,
    call: SessionCall & { session: SessionRef },
    id: number,
  ): Promise<CallResult> {
    switch (call.kind) {
      case 'exec':
        return session.exec(call.sql, call.systemColumns, id);
      case 'query':
        if (SELECT.test(call.sql)) this.#queried();
        return session.query(call.sql, call.params, call.systemColumns, id, call.maxRows);
      case 'stream': {
        const stream = await session.stream(call.sql, call.params, call.systemColumns, id);
        this.#streams.set(call.stream, { stream, session: call.session.id });
        return undefined;
      }
      case 'next':
        return this.#next(call.stream, id);
      case 'endStream':
        this.#endStream(call.stream);
        return undefined;
      case 'insert': {
        const { affectedRows, seq } = await session.insert(call.table, call.columns, call.block, id);
        return { affectedRows, seq: seq ?? null };
      }
      case 'begin':
        this.#sessions.set(call.transaction, await session.begin());
        return undefined;
      case 'commit':
        // `await` so that the session is not freed before.
        try {
          return await session.commit(call.durability);
        } finally {
          this.#end(call.session.id);
        }
      case 'rollback':
        try {
          await session.rollback();
        } finally {
          this.#end(call.session.id);
        }
        return undefined;
    }
  }

  /** The rows of a stream that come next. It ends after the last, and with an error. */
  async #next(stream: number, id: number): Promise<Uint8Array | undefined> {
    const open = this.#streams.get(stream);
    if (open === undefined) throw failure('undefined_object', 'the rows are gone: their engine has been started anew');
    let bytes: Uint8Array | undefined;
    try {
      bytes = await open.stream.next(id);
    } finally {
      if (bytes === undefined) this.#endStream(stream);
    }
    return bytes;
  }

  #endStream(id: number): void {
    this.#streams.get(id)?.stream.free();
    this.#streams.delete(id);
  }

  #queried(): void {
    this.#onFirstQuery?.();
    this.#onFirstQuery = undefined;
  }

  #opened(): Engine {
    if (this.#engine === undefined) throw failure('database_closed', 'the database is not open');
    return this.#engine;
  }

  #session({ id, principal, isInTransaction }: SessionRef): EngineSession {
    const engine = this.#opened();
    const open = this.#sessions.get(id);
    if (open !== undefined) return open;
    if (principal === undefined) throw failure('invalid_transaction_state', 'the transaction has ended');
    const session = engine.session(principal.userId, principal.role);
    if (isInTransaction) session.markTransactionLost();
    this.#sessions.set(id, session);
    return session;
  }

  #end(id: number): void {
    for (const [stream, { session }] of this.#streams) if (session === id) this.#endStream(stream);
    this.#sessions.get(id)?.free();
    this.#sessions.delete(id);
  }
}
