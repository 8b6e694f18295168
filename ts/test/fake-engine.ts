import type { Bindings, Engine, EngineOptions } from '../engine/bindings.js';
import type { ErrorPayload } from '../errors.js';
import { textMessage } from './message.js';

/** A module whose one function, `trap`, traps. */
export const TRAP_WASM: string = 'data:application/wasm;base64,AGFzbQEAAAABBAFgAAADAgEABwgBBHRyYXAAAAoFAQMAAAs=';

/** What the fake engines did, in order. */
export const log: string[] = [];

/** Databases that cannot be opened, with the error. */
export const broken: Map<string, ErrorPayload> = new Map<string, ErrorPayload>();

const gates = new Map<string, () => void>();

/** Lets the statement `wait <name>` finish. */
export function release(name: string): void {
  gates.get(name)?.();
}

/** Stands in for what wasm-bindgen generates: a text is a command, and the answer is the text again. */
export function makeBindings(webAssembly: typeof WebAssembly): Bindings {
  let trap: (() => void) | undefined;

  class FakeEngine implements Engine {
    readonly #name: string;

    constructor(name: string) {
      this.#name = name;
    }

    static async open(name: string, options: EngineOptions): Promise<Engine> {
      const error = broken.get(name);
      if (error) throw error;
      log.push(`open ${name} ${options.durability}`);
      return new FakeEngine(name);
    }

    async exec(sql: string): Promise<Uint8Array> {
      return this.query(sql);
    }

    async query(sql: string): Promise<Uint8Array> {
      const [command, argument = ''] = sql.split(' ');
      if (command === 'trap') trap?.();
      if (command === 'trap-later') {
        queueMicrotask(() => trap?.());
        return new Promise(() => undefined);
      }
      if (command === 'wait') await new Promise<void>((resolve) => gates.set(argument, resolve));
      if (command === 'fail')
        throw { code: 'undefined_table', sqlState: '42P01', message: 'no', retryable: false, position: 3 };
      log.push(`query ${sql}`);
      return textMessage(sql);
    }

    async insert(table: string, columns: string[]): Promise<{ affectedRows: number; seq: number }> {
      log.push(`insert ${table} ${columns.join()}`);
      return { affectedRows: 1, seq: 9 };
    }

    async close(): Promise<void> {
      log.push(`close ${this.#name}`);
    }

    free(): void {
      log.push('free');
    }
  }

  return {
    async default({ module_or_path }) {
      // As in the generated code, this is not an Instance when it comes from the watched WebAssembly.
      const { instance } = (await webAssembly.instantiate(module_or_path, {})) as unknown as {
        instance: WebAssembly.Instance;
      };
      trap = instance.exports['trap'] as () => void;
    },
    Engine: FakeEngine,
    async deleteDatabase(name) {
      log.push(`delete ${name}`);
    },
    crash: () => trap?.(),
  };
}
