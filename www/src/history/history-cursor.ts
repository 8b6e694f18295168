/** The place in the history that the editor's keys have come to. */
import type { HistoryEntry } from './history-entries';

/** Walks through the history as a shell does: up to older texts, down again to what was being written. */
export class HistoryCursor {
  readonly #entries: () => readonly HistoryEntry[];
  /** -1 is the draft, 0 the newest entry. */
  #index = -1;
  #draft = '';

  /** @param entries - gives the history as it is, newest first */
  constructor(entries: () => readonly HistoryEntry[]) {
    this.#entries = entries;
  }

  /** Back to the draft, after a run. */
  reset(): void {
    this.#index = -1;
  }

  /** The next older text, or `null` at the end. `current` is what the editor holds now. */
  older(current: string): string | null {
    const entries = this.#entries();
    if (this.#index === -1) this.#draft = current;
    let next = this.#index + 1;
    // What is in the editor already would look like a key without effect.
    while (entries[next]?.text === current) next += 1;
    const entry = entries[next];
    if (entry === undefined) return null;
    this.#index = next;
    return entry.text;
  }

  /** The next newer text, at last the draft, or `null` where one is there already. */
  newer(): string | null {
    if (this.#index === -1) return null;
    this.#index -= 1;
    return this.#index === -1 ? this.#draft : (this.#entries()[this.#index]?.text ?? null);
  }
}
