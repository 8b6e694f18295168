import { failure } from '../errors.js';
import type { Engine } from './bindings.js';
import type { Call, Reply } from './calls.js';
import type { Instance } from './instance.js';

/** Carries calls out on an instance, for one database. */
export class Host {
  readonly #instance: Instance;
  #engine: Engine | undefined;

  constructor(instance: Instance) {
    this.#instance = instance;
  }

  async handle(call: Call): Promise<Reply> {
    const bindings = await this.#instance.ready();
    switch (call.kind) {
      case 'open':
        this.#engine = await bindings.Engine.open(call.name, call.options);
        return undefined;
      case 'exec':
        return this.#opened().exec(call.sql, call.systemColumns);
      case 'query':
        return this.#opened().query(call.sql, call.params, call.systemColumns);
      case 'insert': {
        const { affectedRows, seq } = await this.#opened().insert(call.table, call.columns, call.block);
        return { affectedRows, seq: seq ?? null };
      }
      case 'close': {
        const engine = this.#opened();
        this.#engine = undefined;
        await engine.close();
        engine.free();
        return undefined;
      }
      case 'delete':
        await bindings.deleteDatabase(call.name);
        return undefined;
      case 'crash':
        bindings.crash();
        return undefined;
    }
  }

  #opened(): Engine {
    if (this.#engine === undefined) throw failure('database_closed', 'the database is not open');
    return this.#engine;
  }
}
