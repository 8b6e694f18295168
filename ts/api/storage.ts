/** What is stored of one table, or of one user's rows of it. */
export interface TableStorage {
  namespace: string;
  table: string;
  /** The user that the rows belong to, where they belong to users. */
  userId?: string;
  /** Row versions in the log, tombstones and superseded ones included, and their bytes. */
  logRows: number;
  logBytes: number;
  /** Segments, the row versions in them, and their bytes. */
  segments: number;
  segmentRows: number;
  segmentBytes: number;
}

/** How much is stored, and how safe it is. */
export interface StorageReport {
  /** Where the rows are; in `'memory'` they are gone when the page is. */
  mode: 'indexeddb' | 'memory';
  /** Whether the browser has promised not to evict the origin's data; null where it does not say. */
  persisted: boolean | null;
  /** How likely it is that the browser evicts the data when space gets short. */
  evictionRisk: 'none' | 'low' | 'high' | 'unknown';
  /** What the origin may store, and what it stores, all databases and caches included, in bytes; null where the browser does not say. */
  quotaBytes: number | null;
  usageBytes: number | null;
  /** What this database stores: rows in the log, as JSON, and in segments, as compressed columns. */
  logBytes: number;
  segmentBytes: number;
  /** Columns of segments that are in memory. */
  cacheBytes: number;
  /** The same for each table, and for each user's rows of it. */
  tables: TableStorage[];
  /** Tables of which a record is damaged: what is in their segments is not counted. */
  damaged: DamagedRecord[];
}

/** A stored record that does not decode. */
export interface DamagedRecord {
  /** Its key, as docs/storage-format.md has it. */
  key: string;
  /** What is wrong with it. */
  what: string;
  /** The table that lacks rows for it, and the user whose they are, where that is known. */
  table?: string;
  userId?: string;
}

/** What a look at every stored record has found. */
export interface CheckReport {
  /** Whether nothing is damaged. */
  ok: boolean;
  /** How many records and columns of segments were read. */
  records: number;
  pages: number;
  damaged: DamagedRecord[];
  /** Columns of segments that nothing names: never read, and removed in time unless a damaged record may name them. */
  orphanedPages: number;
  /** What contradicted itself when the database was opened, now or earlier, and was set right. */
  repairs: Repair[];
}

/** Something that was set right. */
export interface Repair {
  /** What was wrong, and what was made of it. */
  what: string;
  /** What is lost for good, as far as that is known. */
  lost?: string[];
}

/** The readable rows of one table, or of one user's rows of it. */
export interface SalvagedTable {
  namespace: string;
  table: string;
  kind: 'shared' | 'user' | 'stream';
  userId?: string;
  columns: { name: string; type: string }[];
  /**
   * Live rows as a JSON text: an array of rows, each an array of cells in their stored form (docs/types.md). It is a text because
   * BIGINT has more digits than JavaScript's numbers.
   */
  rows: string;
}

/** All rows that are readable. */
export interface SalvageReport {
  tables: SalvagedTable[];
  damaged: DamagedRecord[];
}

/** The part of a report that the engine knows. */
export type EngineStorage = Pick<StorageReport, 'logBytes' | 'segmentBytes' | 'cacheBytes' | 'tables' | 'damaged'>;

/** Beyond this part of the quota the browser may soon refuse to store more, or evict. */
const HIGH_USE = 0.8;

/** Completes the engine's report with what the browser says. */
export async function storageReport(mode: StorageReport['mode'], stored: EngineStorage): Promise<StorageReport> {
  const manager = globalThis.navigator?.storage;
  const persisted = (await manager?.persisted?.().catch(() => undefined)) ?? null;
  const estimate = await manager?.estimate?.().catch(() => undefined);
  const quotaBytes = estimate?.quota ?? null;
  const usageBytes = estimate?.usage ?? null;
  return {
    mode,
    persisted,
    evictionRisk: evictionRisk(persisted, quotaBytes, usageBytes),
    quotaBytes,
    usageBytes,
    ...stored,
  };
}

function evictionRisk(
  persisted: boolean | null,
  quota: number | null,
  usage: number | null,
): StorageReport['evictionRisk'] {
  if (persisted === true) return 'none';
  if (quota === null || usage === null || quota === 0) return 'unknown';
  return usage / quota > HIGH_USE ? 'high' : 'low';
}
