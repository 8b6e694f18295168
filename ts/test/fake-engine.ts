import type { Bindings, Engine, EngineSession, EngineStream } from '../engine/bindings.js';
import type { ErrorCode } from '../errors/error-codes.js';
import { type ErrorPayload, payload } from '../errors/errors.js';
import type { EngineOptions } from '../protocol/calls.js';
import { message, textMessage } from './message.js';

/** A module whose one function, `trap`, traps. */
export const TRAP_WASM: string = 'data:application/wasm;base64,AGFzbQEAAAABBAFgAAADAgEABwgBBHRyYXAAAAoFAQMAAAs=';

/** What the fake engines did, in order. */
export const log: string[] = [];

/** Databases that cannot be opened, with the error. */
export const broken: Map<string, ErrorPayload> = new Map<string, ErrorPayload>();

/** What the log's lines about a transaction begin with, after the session. */
const TRANSACTION = 'tx: ';

const gates = new Map<string, () => void>();

/** What gives up the statements `wait-until-canceled`, by the ids of their calls. */
const running = new Map<number, () => void>();

/** Lets the statement `wait <name>` finish; says whether there is one. */
export function release(name: string): boolean {
  gates.get(name)?.();
  return gates.delete(name);
}

/** How many of the next commits meet the changes of others. */
export const conflicts = { left: 0 };

const error = (code: ErrorCode, more: Partial<ErrorPayload> = {}): ErrorPayload => ({
  ...payload(code, 'no'),
  retryable: code === 'serialization_failure',
  ...more,
});

const untilCanceled = (call: number): Promise<Uint8Array> =>
  new Promise((_, reject) => running.set(call, () => reject(error('query_canceled'))));

/** Stands in for what wasm-bindgen generates: a text is a command, and the answer is the text again. */
export function makeBindings(webAssembly: typeof WebAssembly): Bindings {
  let trap: (() => void) | undefined;

  class FakeSession implements EngineSession {
    /** Before every line of the log. */
    readonly #who: string;
    #isFailed = false;
    #underWay = 0;

    constructor(who: string) {
      this.#who = who;
    }

    #log(line: string): void {
      log.push(this.#who + line);
    }

    async exec(sql: string, _systemColumns: boolean, call: number): Promise<Uint8Array> {
      return this.query(sql, undefined, undefined, call);
    }

    async query(sql: string, _params?: Uint8Array, _systemColumns?: boolean, call?: number): Promise<Uint8Array> {
      this.#underWay += 1;
      try {
        return await this.#run(sql, call);
      } finally {
        this.#underWay -= 1;
      }
    }

    /** `rows <n>` gives so many batches; `rows-fail` fails after the first, `rows-wait` waits then until it is canceled. */
    async stream(sql: string): Promise<EngineStream> {
      const [command, n = '1'] = sql.split(' ');
      if (!command?.startsWith('rows')) {
        const whole = [await this.query(sql)];
        return { next: async () => whole.pop(), free: () => undefined };
      }
      this.#log(`stream ${sql}`);
      let at = 0;
      return {
        next: async (call) => {
          if (command === 'rows-wait' && at === 1) return untilCanceled(call);
          if (command === 'rows-fail' && at === 1) throw error('division_by_zero');
          if (at === Number(n)) return undefined;
          this.#log(`batch ${at}`);
          return textMessage(`${at++}`);
        },
        free: () => this.#log('free stream'),
      };
    }

    isPlainInsert(sql: string): boolean {
      return sql.startsWith('INSERT');
    }

    async insertEach(sql: string, blocks: Uint8Array[]): Promise<unknown[]> {
      this.#log(`insert ${blocks.length}`);
      return Promise.all(blocks.map(() => this.query(sql).catch((failure: unknown) => failure)));
    }

    async #run(sql: string, call?: number): Promise<Uint8Array> {
      const [command, argument = ''] = sql.split(' ');
      if (sql.startsWith('ROLLBACK TO')) this.#isFailed = false;
      if (this.#isFailed) throw error('in_failed_transaction');
      if (command === 'trap') trap?.();
      if (command === 'trap-later') {
        queueMicrotask(() => trap?.());
        return new Promise(() => undefined);
      }
      if (command === 'wait-until-canceled') {
        return untilCanceled(call ?? 0);
      }
      if (command === 'wait') await new Promise<void>((resolve) => gates.set(argument, resolve));
      if (command === 'fail' || command === 'conflict') {
        this.#isFailed = this.#who.endsWith(TRANSACTION);
        throw command === 'fail' ? error('undefined_table', { position: 3 }) : error('serialization_failure');
      }
      this.#log(`query ${sql}`);
      return textMessage(sql);
    }

    async insert(table: string, columns: string[]): Promise<{ affectedRows: number; seq: number }> {
      this.#log(`insert ${table} ${columns.join()}`);
      return { affectedRows: 1, seq: 9 };
    }

    async begin(): Promise<EngineSession> {
      const transaction = this.#who + TRANSACTION;
      log.push(`${transaction}begin`);
      return new FakeSession(transaction);
    }

    async commit(durability: string): Promise<Uint8Array> {
      if (conflicts.left > 0) {
        conflicts.left -= 1;
        this.#log('conflict');
        throw error('serialization_failure');
      }
      const command = this.#isFailed ? 'ROLLBACK' : 'COMMIT';
      this.#log(`${command} ${durability}`);
      return message({ command, seq: this.#isFailed ? null : 12 }, []);
    }

    markTransactionLost(): void {
      this.#log('lost');
    }

    async rollback(): Promise<void> {
      this.#log('rollback');
    }

    free(): void {
      if (this.#underWay > 0) throw new Error('attempted to take ownership of a value while it was borrowed');
      this.#log('end');
    }
  }

  class FakeEngine implements Engine {
    readonly #name: string;

    constructor(name: string) {
      this.#name = name;
    }

    static async open(name: string, options: EngineOptions): Promise<Engine> {
      const refused = broken.get(name);
      if (refused) throw refused;
      log.push(`open ${name} ${options.durability}`);
      return new FakeEngine(name);
    }

    async maintain(): Promise<boolean> {
      return false;
    }

    storage(): string {
      return JSON.stringify({ logBytes: 10, segmentBytes: 20, cacheBytes: 5, tables: [] });
    }

    async check(): Promise<string> {
      return JSON.stringify({ ok: true, records: 1, pages: 0, damaged: [], orphanedPages: 0 });
    }

    async salvage(): Promise<string> {
      return JSON.stringify({ tables: [], damaged: [] });
    }

    session(userId: string | undefined, role: string): EngineSession {
      return new FakeSession(userId === undefined ? '' : `${userId} (${role}): `);
    }

    cancel(call: number): void {
      running.get(call)?.();
      running.delete(call);
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
    async warmUp() {
      log.push('warm up');
    },
    crash: () => trap?.(),
  };
}
