/** Loads the flights into their table. */
import type { KalamDB } from 'kalamdb';
import flightsUrl from 'vega-datasets-files/flights-200k.json?url';

/** Rows of the data set, as its publisher states them. */
export const FLIGHT_ROWS = 200_000;
/** Rows sent with one call: each call is one transaction. */
const CHUNK_ROWS = 20_000;

/** One record of the file. `time` is the scheduled departure in hours since midnight. */
interface FlightRecord {
  readonly delay: number;
  readonly distance: number;
  readonly time: number;
}

/** How far a load is. `ms` counts the inserts alone, not the reading of the file. */
export interface LoadProgress {
  readonly rows: number;
  readonly total: number;
  readonly ms: number;
}

/** Rows of an existing flights table, `null` where there is none. */
export async function countFlights(db: KalamDB): Promise<number | null> {
  const { rows } = await db.query(
    "SELECT 1 FROM information_schema.tables WHERE table_schema = 'default' AND table_name = 'flights'",
  );
  if (rows.length === 0) return null;
  const counted = await db.queryOne<{ n: number }>('SELECT count(*) AS n FROM flights');
  return counted?.n ?? 0;
}

/**
 * Fills the table `flights` from the file that is served beside the page.
 * An older table of that name is dropped first.
 *
 * @throws KalamDBError as `exec` and `insert` do; the chunks before it stay
 */
export async function loadFlights(db: KalamDB, onProgress: (progress: LoadProgress) => void): Promise<LoadProgress> {
  const response = await fetch(flightsUrl);
  if (!response.ok) throw new Error(`the data file could not be read (HTTP ${response.status})`);
  const records: readonly FlightRecord[] = await response.json();
  await db.exec('DROP TABLE IF EXISTS flights');
  await db.exec(
    'CREATE TABLE IF NOT EXISTS flights (id BIGINT PRIMARY KEY, delay INT NOT NULL, distance INT NOT NULL, departure DOUBLE NOT NULL)',
  );
  const start = performance.now();
  let progress: LoadProgress = { rows: 0, total: records.length, ms: 0 };
  onProgress(progress);
  for (let from = 0; from < records.length; from += CHUNK_ROWS) {
    const rows = records
      .slice(from, from + CHUNK_ROWS)
      .map(({ delay, distance, time }, i) => [from + i + 1, delay, distance, time]);
    await db.insert('flights', { columns: ['id', 'delay', 'distance', 'departure'], rows });
    progress = { rows: from + rows.length, total: records.length, ms: performance.now() - start };
    onProgress(progress);
  }
  return progress;
}
