import type { EngineOptions } from '../protocol/calls.js';
import type { InsertResult } from '../wire/result.js';

/** One open database inside the engine. Failures are thrown as plain error payloads. */
export interface Engine {
  /** Opens a session of a user, or of the application itself when there is no id. */
  session(userId: string | undefined, role: string): EngineSession;
  /**
   * Does one thing that is due: frees events, stores rows of the log as a segment, merges segments; gives whether more may be
   * due.
   */
  maintain(hidden: boolean): Promise<boolean>;
  /** These three give their reports as JSON. `call` is the id by which the call is given up. */
  storage(): string;
  check(call: number): Promise<string>;
  salvage(call: number): Promise<string>;
  /** Gives the call with that id up, if it is under way. */
  cancel(call: number): void;
  close(): Promise<void>;
  free(): void;
}

/** One session on an open database. It must not be freed while a call of it is under way. */
export interface EngineSession {
  /** In these, `call` is the id by which the call is given up. */
  exec(sql: string, systemColumns: boolean, call: number): Promise<Uint8Array>;
  query(sql: string, params: Uint8Array, systemColumns: boolean, call: number, maxRows?: number): Promise<Uint8Array>;
  /** Begins to run a statement, whose rows are asked for batch by batch. */
  stream(sql: string, params: Uint8Array, systemColumns: boolean, call: number): Promise<EngineStream>;
  /** Whether `insertEach` takes the text: an INSERT of one row of literals and parameters. */
  isPlainInsert(sql: string): boolean;
  /**
   * Runs a plain INSERT once for each block of parameters, in one commit but each with an outcome of its own: a message, or the
   * error.
   */
  insertEach(sql: string, blocks: Uint8Array[]): Promise<unknown[]>;
  insert(table: string, columns: string[], block: Uint8Array, call: number): Promise<InsertResult>;
  /** Begins a transaction, which is a session of its own; `commit` or `rollback` of that one ends it. */
  begin(): Promise<EngineSession>;
  commit(durability: 'relaxed' | 'strict'): Promise<Uint8Array>;
  rollback(): Promise<void>;
  /** Puts the session into a transaction that has failed and takes nothing but its end. */
  markTransactionLost(): void;
  free(): void;
}

/** The rows of a statement. It must not be freed while a call of it is under way. */
export interface EngineStream {
  /** The rows that come next, as a message of one result; undefined after the last. Who gives the call up ends the stream. */
  next(call: number): Promise<Uint8Array | undefined>;
  free(): void;
}

/** The functions of one instance of the wasm module. */
export interface Bindings {
  /** Instantiates the module; everything else works after that only. */
  default(input: { module_or_path: WebAssembly.Module }): Promise<unknown>;
  Engine: { open(name: string, options: EngineOptions): Promise<Engine> };
  deleteDatabase(name: string): Promise<void>;
  /** Runs common statements, so that their code is compiled. */
  warmUp(): Promise<void>;
  /** Traps, so that what follows a trap can be tested. */
  crash(): void;
}

/**
 * Makes the functions of a new instance. The argument stands in for the global `WebAssembly` inside them, through
 * which the instance's exports are watched.
 */
export type MakeBindings = (webAssembly: typeof WebAssembly) => Bindings;
