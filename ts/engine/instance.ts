import { crashed, type KalamDBError, messageOf } from '../errors/errors.js';
import type { Bindings, MakeBindings } from './bindings.js';
import { IdbActivity } from './idb-activity.js';

/** The names of what is thrown when wasm code traps or runs out of stack; after either, its memory is undefined. */
const FATAL = new Set(['RuntimeError', 'RangeError', 'InternalError']);

/** What a dead instance answers: the generated code takes apart what exports return, and finds no error in this. */
const NOTHING: readonly unknown[] = Object.freeze([]);

/**
 * One instance of the wasm module, watched for traps.
 *
 * A trap may surface anywhere: in a call, in a microtask, in an event handler of IndexedDB. So the exports
 * themselves are wrapped; nothing can enter the instance again once one of them trapped.
 */
export class Instance {
  readonly bindings: Bindings;
  readonly #ready: Promise<unknown>;
  readonly #idb = new IdbActivity();
  readonly #watchers = new Set<(error: KalamDBError) => void>();
  #death: KalamDBError | undefined;
  /** How many calls into the instance are on the stack. */
  #depth = 0;

  constructor(makeBindings: MakeBindings, module: Promise<WebAssembly.Module>) {
    this.bindings = makeBindings(this.#watched());
    this.#ready = module.then((compiled) => this.bindings.default({ module_or_path: compiled }));
    // Whoever calls `ready` gets the failure; without a caller it is no unhandled rejection.
    this.#ready.catch(() => undefined);
  }

  /** Resolves when the functions can be called. */
  async ready(): Promise<Bindings> {
    await this.#ready;
    if (this.#death !== undefined) throw this.#death;
    return this.bindings;
  }

  get dead(): boolean {
    return this.#death !== undefined;
  }

  /** Calls back once when the instance dies; the result takes the callback away again. */
  onDeath(callback: (error: KalamDBError) => void): () => void {
    this.#watchers.add(callback);
    return () => this.#watchers.delete(callback);
  }

  #die(cause: unknown): void {
    if (this.#death !== undefined) return;
    this.#death = crashed(`the engine stopped working: ${messageOf(cause)}`, cause);
    this.#idb.end();
    for (const callback of this.#watchers) callback(this.#death);
    this.#watchers.clear();
  }

  #watched(): typeof WebAssembly {
    const instantiate = async (module: WebAssembly.Module, imports: WebAssembly.Imports) => {
      const { exports } = await WebAssembly.instantiate(module, this.#idb.watch(imports));
      const watched = Object.entries(exports).map(([name, value]) => [name, this.#guard(value)]);
      return { instance: { exports: Object.fromEntries(watched) }, module };
    };
    return Object.create(WebAssembly, { instantiate: { value: instantiate } });
  }

  /**
   * Wraps an export. A trap is thrown on to the JavaScript inside the instance that called the export, but not
   * further: everybody outside has been told, and microtasks and event handlers have nobody who could catch it.
   */
  #guard(value: WebAssembly.ExportValue): unknown {
    if (typeof value !== 'function') return value;
    return (...args: unknown[]): unknown => {
      if (this.#death !== undefined) return this.#leave();
      this.#depth += 1;
      try {
        return value(...args);
      } catch (error) {
        if (!(error instanceof Error && FATAL.has(error.name)) && this.#death === undefined) throw error;
        this.#die(error);
      } finally {
        this.#depth -= 1;
      }
      return this.#leave();
    };
  }

  #leave(): unknown {
    if (this.#depth > 0) throw this.#death;
    return NOTHING;
  }
}
