import type { InsertResult } from '../wire/result.js';

/** What the engine is told when a database is opened. */
export interface EngineOptions {
  durability: 'relaxed' | 'strict';
  memoryLimitBytes?: number;
  valueLimitBytes?: number;
}

/** On whose behalf a session runs; without an id it is the application itself. */
export interface Principal {
  userId?: string;
  role: string;
}

/**
 * A session by its id, which is never used twice. The engine opens it when it is first named, so that nothing has to be
 * told to a new engine after a crash. A transaction has no principal: it is there only where it was begun.
 */
export interface SessionRef {
  id: number;
  principal?: Principal;
  /** Whether SQL text has begun a transaction in it: a new engine does not have it, and must not go on as if there were none. */
  isInTransaction?: boolean;
}

/** What is asked of a session. */
export type SessionCall =
  | { kind: 'exec'; sql: string; systemColumns: boolean }
  | { kind: 'query'; sql: string; params: Uint8Array<ArrayBuffer>; systemColumns: boolean; maxRows?: number }
  /** Begins to run a statement, whose rows `next` gives batch by batch under the id `stream`. */
  | { kind: 'stream'; sql: string; params: Uint8Array<ArrayBuffer>; systemColumns: boolean; stream: number }
  | { kind: 'next'; stream: number }
  /** Forgets a stream; one that has ended is forgotten. No `next` of it may be under way. */
  | { kind: 'endStream'; stream: number }
  | { kind: 'insert'; table: string; columns: string[]; block: Uint8Array<ArrayBuffer> }
  /** Begins a transaction with the id `transaction`. */
  | { kind: 'begin'; transaction: number }
  /** These two end a transaction; its id is gone then. No other call of it may be under way. */
  | { kind: 'commit'; durability: 'relaxed' | 'strict' }
  | { kind: 'rollback' };

/** What the page asks of an engine that holds one database. */
export type Call =
  | { kind: 'open'; name: string; options: EngineOptions }
  | (SessionCall & { session: SessionRef })
  /** Forgets a session. No call of it may be under way. */
  | { kind: 'end'; session: SessionRef }
  | { kind: 'close' }
  /** The page is hidden, and may be gone soon. */
  | { kind: 'hidden' }
  /** Reports about what is stored, as JSON. */
  | { kind: 'storage' }
  | { kind: 'check' }
  | { kind: 'salvage' }
  | { kind: 'delete'; name: string }
  /** Traps on purpose. Only tests send it. */
  | { kind: 'crash' };

/** What each call results in. */
export interface CallResults {
  open: undefined;
  exec: Uint8Array;
  query: Uint8Array;
  stream: undefined;
  /** Undefined after the last. */
  next: Uint8Array | undefined;
  endStream: undefined;
  insert: InsertResult;
  begin: undefined;
  commit: Uint8Array;
  rollback: undefined;
  end: undefined;
  close: undefined;
  hidden: undefined;
  storage: string;
  check: string;
  salvage: string;
  delete: undefined;
  crash: undefined;
}

export type CallResult = CallResults[Call['kind']];
