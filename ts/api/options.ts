import type { ConnectionSettings } from '../client/connection.js';
import type { AssetLocation } from '../transport/locate.js';
import type { Decoding, QueryOptions } from '../wire/decoding.js';
import { requireString, requireWellFormed } from '../wire/text.js';

/** Where the parts of the package are, for setups in which they do not lie beside the main module. */
export interface LocationOptions {
  /** Runs the engine in a worker of its own (the default) or, when false, in the calling thread. */
  worker?: boolean;
  /** Where `kalamdb.wasm` is. */
  wasmUrl?: string | URL;
  /** Where `kalamdb-worker.js` is. */
  workerUrl?: string | URL;
}

/** How a database is opened. The options of a query are the defaults of every query on it. */
export interface OpenOptions extends QueryOptions, LocationOptions {
  /**
   * What a resolved write means: `'relaxed'` (the default) survives the browser's crash, `'strict'` also the
   * loss of power, where the platform honours it.
   */
  durability?: 'relaxed' | 'strict';
  /**
   * The memory for the columns of segments that are kept at hand and for what all queries hold at a time (sorts, joins,
   * groups), together: a positive integer, in bytes. Columns give way to queries; a query that finds too little left rejects
   * with `out_of_memory`. Without it there are 256 MiB for columns, and 1 GiB for what all queries hold. What comes on top is
   * in docs/storage.md.
   */
  memoryLimitBytes?: number;
  /**
   * The largest value that functions and operators make, a positive integer, in bytes: 64 MiB by default. A larger one
   * rejects with `program_limit_exceeded` before it is made. Values that are written and parameters may be larger.
   */
  valueLimitBytes?: number;
  /** When there is no storage, `open` rejects (`'throw'`, the default) or opens a database that is not kept. */
  onStorageUnavailable?: 'throw' | 'memory';
  /** Whether `SELECT *` gives the system columns (`'star'`) or leaves them out (`'hidden'`, the default). */
  systemColumns?: 'hidden' | 'star';
}

/** What a session may do; each role may do what those before it may. */
export type Role = 'user' | 'service' | 'dba' | 'system';

/** Whose session it is. */
export interface SessionUser {
  /** The user's id, which may be any string, the empty one too. */
  userId: string;
  /** What the session may do; `'user'` (the default) reads and writes rows, and changes no definitions. */
  role?: Role;
}

/** The defaults of a session's calls; those that are absent are the database's. */
export interface SessionOptions extends QueryOptions {
  /** Whether `SELECT *` gives the system columns (`'star'`) or leaves them out (`'hidden'`). */
  systemColumns?: 'hidden' | 'star';
}

/** How a transaction is run. */
export interface TransactionOptions {
  /** What its commit means; the default is what the database was opened with. */
  durability?: 'relaxed' | 'strict';
  /** How often it is run again when others have changed what it rests on; 3 by default. */
  retries?: number;
}

/** How a batch is run, and how its rows and values are given back. */
export interface BatchOptions extends QueryOptions, TransactionOptions {}

/** What the calls of a database or session do where they are not told otherwise. @internal */
export interface Defaults {
  decoding: Decoding;
  systemColumns: boolean;
  durability: 'relaxed' | 'strict';
}

/** Open options that have been checked, with every default filled in. @internal */
export interface Settings extends ConnectionSettings {
  defaults: Defaults;
}

const ROW_MODES = ['object', 'array'] as const;
const INT64 = ['auto', 'bigint', 'number', 'string'] as const;
const TIMESTAMPS = ['date', 'iso', 'epochMs'] as const;
const DURABILITIES = ['relaxed', 'strict'] as const;
const SYSTEM_COLUMNS = ['hidden', 'star'] as const;
const ROLES = ['user', 'service', 'dba', 'system'] as const;

const DEFAULT_RETRIES = 3;

/** @throws TypeError when an option has a value it cannot have @internal */
export function settings(options: OpenOptions): Settings {
  requireObject(options);
  const { memoryLimitBytes, valueLimitBytes } = options;
  requireSize('memoryLimitBytes', memoryLimitBytes);
  requireSize('valueLimitBytes', valueLimitBytes);
  const durability = oneOf('durability', options.durability, DURABILITIES, 'relaxed');
  return {
    defaults: {
      decoding: decoding(options, { rowMode: 'object', int64: 'auto', timestamps: 'date' }),
      systemColumns: oneOf('systemColumns', options.systemColumns, SYSTEM_COLUMNS, 'hidden') === 'star',
      durability,
    },
    fallBackToMemory:
      oneOf('onStorageUnavailable', options.onStorageUnavailable, ['throw', 'memory'], 'throw') === 'memory',
    engine: {
      durability,
      ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
      ...(valueLimitBytes === undefined ? {} : { valueLimitBytes }),
    },
    location: location(options),
  };
}

function requireSize(name: string, bytes: number | undefined): void {
  if (bytes !== undefined && !(Number.isSafeInteger(bytes) && bytes > 0))
    throw new TypeError(`${name} must be a positive integer`);
}

/** @throws TypeError when it has the wrong shape, {@link KalamDBError} when the id has no UTF-8 form @internal */
export function sessionUser(user: SessionUser): Required<SessionUser> {
  requireObject(user, 'the user of a session');
  const { userId } = user;
  requireString('userId', userId);
  requireWellFormed(userId, 'userId');
  return { userId, role: oneOf('role', user.role, ROLES, 'user') };
}

/** @throws TypeError when an option has a value it cannot have @internal */
export function sessionDefaults(options: SessionOptions | undefined, defaults: Defaults): Defaults {
  const inherited = defaults.systemColumns ? 'star' : 'hidden';
  return {
    decoding: decoding(options, defaults.decoding),
    systemColumns: oneOf('systemColumns', options?.systemColumns, SYSTEM_COLUMNS, inherited) === 'star',
    durability: defaults.durability,
  };
}

/** @throws TypeError when an option has a value it cannot have @internal */
export function transactionOptions(
  options: TransactionOptions | undefined,
  defaults: Defaults,
): Required<TransactionOptions> {
  if (options !== undefined) requireObject(options);
  const retries = options?.retries ?? DEFAULT_RETRIES;
  if (!(Number.isSafeInteger(retries) && retries >= 0)) throw new TypeError('retries must be an integer from 0');
  return { durability: oneOf('durability', options?.durability, DURABILITIES, defaults.durability), retries };
}

/** @throws TypeError when an option has a value it cannot have @internal */
export function location(options: LocationOptions): AssetLocation {
  requireObject(options);
  const { worker = true } = options;
  if (typeof worker !== 'boolean') throw new TypeError('worker must be a boolean');
  return { worker, wasmUrl: url('wasmUrl', options.wasmUrl), workerUrl: url('workerUrl', options.workerUrl) };
}

/** @throws TypeError when an option has a value it cannot have @internal */
export function decoding(options: QueryOptions | undefined, defaults: Decoding): Decoding {
  if (options === undefined) return defaults;
  requireObject(options);
  return {
    rowMode: oneOf('rowMode', options.rowMode, ROW_MODES, defaults.rowMode),
    int64: oneOf('int64', options.int64, INT64, defaults.int64),
    timestamps: oneOf('timestamps', options.timestamps, TIMESTAMPS, defaults.timestamps),
  };
}

function requireObject(value: unknown, what: string = 'options'): void {
  if (typeof value !== 'object' || value === null) throw new TypeError(`${what} must be an object`);
}

function oneOf<T extends string>(name: string, value: T | undefined, values: readonly T[], fallback: T): T {
  if (value === undefined) return fallback;
  if (values.includes(value)) return value;
  throw new TypeError(`${name} must be one of ${values.map((v) => `'${v}'`).join(', ')}`);
}

/** The worker has another base than the page, so URLs are made absolute here. */
function url(name: string, value: string | URL | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' && !(value instanceof URL)) throw new TypeError(`${name} must be a string or a URL`);
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  return new URL(value, base).href;
}
