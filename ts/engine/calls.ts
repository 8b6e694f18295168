import type { InsertResult } from '../result.js';
import type { EngineOptions } from './bindings.js';

/** What the page asks of an engine that holds one database. */
export type Call =
  | { kind: 'open'; name: string; options: EngineOptions }
  | { kind: 'exec'; sql: string; systemColumns: boolean }
  | { kind: 'query'; sql: string; params: Uint8Array<ArrayBuffer>; systemColumns: boolean }
  | { kind: 'insert'; table: string; columns: string[]; block: Uint8Array<ArrayBuffer> }
  | { kind: 'close' }
  | { kind: 'delete'; name: string }
  /** Traps on purpose. Only tests send it. */
  | { kind: 'crash' };

/** What each call is answered with. */
export interface Replies {
  open: undefined;
  exec: Uint8Array;
  query: Uint8Array;
  insert: InsertResult;
  close: undefined;
  delete: undefined;
  crash: undefined;
}

export type Reply = Replies[Call['kind']];
