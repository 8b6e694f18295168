import { failure } from '../errors/errors.js';
import type { Ask, Call, Reply, SessionRef } from '../protocol/calls.js';
import { runsOf } from './batching.js';
import type { Engine, EngineSession } from './bindings.js';
import type { Instance } from './instance.js';
import { Maintenance } from './maintenance.js';

/** Carries calls out on an instance, for one database. */
export class Host {
  readonly #instance: Instance;
  #engine: Engine | undefined;
  #maintenance: Maintenance | undefined;
  readonly #sessions = new Map<number, EngineSession>();

  constructor(instance: Instance) {
    this.#instance = instance;
    instance.onDeath(() => void this.#maintenance?.stop());
  }

  async handle(call: Call): Promise<Reply> {
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
        return this.#opened().check();
      case 'salvage':
        return this.#opened().salvage();
      case 'delete':
        await bindings.deleteDatabase(call.name);
        return undefined;
      case 'crash':
        bindings.crash();
        return undefined;
      default:
        return this.#ask(this.#session(call.session), call);
    }
  }

  /** Carries out calls that came together, in their order; gives the outcome of each. */
  handleAll(calls: readonly Call[]): Promise<Reply>[] {
    return runsOf(calls).flatMap((run) => this.#insertEach(run) ?? run.map((call) => this.handle(call)));
  }

  /** Carries out a run of INSERTs by one call of the engine, which takes a fraction of the time; undefined for any other. */
  #insertEach(run: readonly Call[]): Promise<Reply>[] | undefined {
    const [first, second] = run;
    if (first?.kind !== 'query' || second === undefined) return undefined;
    const session = this.#sessions.get(first.session.id);
    if (!session?.isPlainInsert(first.sql)) return undefined;
    const blocks = run.flatMap((call) => (call.kind === 'query' ? [call.params] : []));
    // As `handle` waits, so that calls begin in their order.
    const outcomes = this.#instance.ready().then(() => session.insertEach(first.sql, blocks));
    return run.map(async (_, at) => {
      const outcome = (await outcomes)[at];
      if (outcome instanceof Uint8Array) return outcome;
      throw outcome;
    });
  }

  async #ask(session: EngineSession, call: Ask & { session: SessionRef }): Promise<Reply> {
    switch (call.kind) {
      case 'exec':
        return session.exec(call.sql, call.systemColumns);
      case 'query':
        return session.query(call.sql, call.params, call.systemColumns);
      case 'insert': {
        const { affectedRows, seq } = await session.insert(call.table, call.columns, call.block);
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
    this.#sessions.get(id)?.free();
    this.#sessions.delete(id);
  }
}
