/** What was run, newest first, over all visits. */

/** Entries kept; the oldest go first. */
const MAX_ENTRIES = 200;
/** Longer scripts run but are not kept, so that one paste cannot fill the storage. */
const MAX_LENGTH = 20_000;

/** One run of the console. */
export interface HistoryEntry {
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly ok: boolean;
}

/** The entries with another run. Running a text again moves it to the front. */
export function withEntry(entries: readonly HistoryEntry[], entry: HistoryEntry): readonly HistoryEntry[] {
  if (entry.text.length > MAX_LENGTH) return entries;
  const others = entries.filter((other) => other.text !== entry.text);
  return [entry, ...others].slice(0, MAX_ENTRIES);
}

/** Whether a value from the storage is a history. */
export function isHistory(value: unknown): value is readonly HistoryEntry[] {
  return Array.isArray(value) && value.every(isEntry);
}

function isEntry(value: unknown): value is HistoryEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { text, at, ok } = value as Partial<Record<keyof HistoryEntry, unknown>>;
  return typeof text === 'string' && typeof at === 'number' && typeof ok === 'boolean';
}
