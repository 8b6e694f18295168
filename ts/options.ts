/** How rows and values are given back. */
export interface QueryOptions {
  /** `'object'` (the default): one property a column; `'array'`: values in column order. */
  rowMode?: 'object' | 'array';
  /** BIGINT values: `'auto'` (the default) gives a number where that is exact, else a bigint. */
  int64?: 'auto' | 'bigint' | 'number' | 'string';
  /**
   * TIMESTAMP values: `'date'` (the default) cuts to whole milliseconds, `'iso'` is a string exact to the
   * microsecond, `'epochMs'` milliseconds since 1970 with a fraction.
   */
  timestamps?: 'date' | 'iso' | 'epochMs';
}

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
  /** The most memory the engine may take for one database, in bytes. */
  memoryLimitBytes?: number;
  /** When there is no storage, `open` rejects (`'throw'`, the default) or opens a database that is not kept. */
  onStorageUnavailable?: 'throw' | 'memory';
  /** Whether `SELECT *` gives the system columns (`'star'`) or leaves them out (`'hidden'`, the default). */
  systemColumns?: 'hidden' | 'star';
}

/** Query options with every default filled in. @internal */
export type Decoding = Required<QueryOptions>;

/** Open options that have been checked, with every default filled in. @internal */
export interface Settings {
  decoding: Decoding;
  systemColumns: boolean;
  fallBackToMemory: boolean;
  engine: { durability: 'relaxed' | 'strict'; memoryLimitBytes?: number };
  location: Location;
}

/** Location options that have been checked; absent URLs are beside the main module. @internal */
export interface Location {
  worker: boolean;
  wasmUrl: string | undefined;
  workerUrl: string | undefined;
}

const ROW_MODES = ['object', 'array'] as const;
const INT64 = ['auto', 'bigint', 'number', 'string'] as const;
const TIMESTAMPS = ['date', 'iso', 'epochMs'] as const;

/** @throws TypeError when an option has a value it cannot have @internal */
export function settings(options: OpenOptions): Settings {
  requireObject(options);
  const { memoryLimitBytes } = options;
  if (memoryLimitBytes !== undefined && !(Number.isSafeInteger(memoryLimitBytes) && memoryLimitBytes > 0))
    throw new TypeError('memoryLimitBytes must be a positive integer');
  return {
    decoding: decoding(options, { rowMode: 'object', int64: 'auto', timestamps: 'date' }),
    systemColumns: oneOf('systemColumns', options.systemColumns, ['hidden', 'star'], 'hidden') === 'star',
    fallBackToMemory:
      oneOf('onStorageUnavailable', options.onStorageUnavailable, ['throw', 'memory'], 'throw') === 'memory',
    engine: {
      durability: oneOf('durability', options.durability, ['relaxed', 'strict'], 'relaxed'),
      ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
    },
    location: location(options),
  };
}

/** @throws TypeError when an option has a value it cannot have @internal */
export function location(options: LocationOptions): Location {
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

function requireObject(options: unknown): void {
  if (typeof options !== 'object' || options === null) throw new TypeError('options must be an object');
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
