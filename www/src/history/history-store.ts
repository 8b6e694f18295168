import { recall, remember } from '../ui/local-store';

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

/** What was run, newest first, over all visits. */
export class HistoryStore {
  #entries: readonly HistoryEntry[] = recall('history', [], isEntries);

  get entries(): readonly HistoryEntry[] {
    return this.#entries;
  }

  /** Adds a run. Running a text again moves it to the front. */
  add(entry: HistoryEntry): void {
    if (entry.text.length > MAX_LENGTH) return;
    const others = this.#entries.filter((other) => other.text !== entry.text);
    this.#keep([entry, ...others].slice(0, MAX_ENTRIES));
  }

  clear(): void {
    this.#keep([]);
  }

  #keep(entries: readonly HistoryEntry[]): void {
    this.#entries = entries;
    remember('history', entries);
  }
}

function isEntries(value: unknown): value is readonly HistoryEntry[] {
  return Array.isArray(value) && value.every(isEntry);
}

function isEntry(value: unknown): value is HistoryEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { text, at, ok } = value as Partial<Record<keyof HistoryEntry, unknown>>;
  return typeof text === 'string' && typeof at === 'number' && typeof ok === 'boolean';
}
