/** What the page knows, in one place: the rooms show it and watch it, and whoever changes it does so here. */
import type { HistoryEntry } from '../history/history-entries';
import type { CatalogTable } from '../tables/catalog';
import type { ConnectionState } from './connection';

/** The parts of the page that a narrow screen shows one at a time; a wide one shows the console always. */
export type View = 'console' | 'tables' | 'history';

/** A theme that was chosen; empty for the system's. */
export type ThemeChoice = '' | 'light' | 'dark';

/** What tables there are, as of the last reading. */
export type CatalogState =
  | { readonly type: 'unread' }
  | { readonly type: 'read'; readonly tables: readonly CatalogTable[] }
  | { readonly type: 'failed'; readonly error: unknown };

/** Everything that the page knows. What is behind a value changes only by setting another one. */
export interface Values {
  readonly connection: ConnectionState;
  readonly catalog: CatalogState;
  /** Whether the console runs statements. */
  readonly isRunning: boolean;
  /** What was run, newest first. */
  readonly history: readonly HistoryEntry[];
  /** The editor's text. */
  readonly draft: string;
  readonly theme: ThemeChoice;
  /** What is in front. */
  readonly view: View;
}

/** Holds the values and tells who watches them. */
export class State {
  #values: Values;
  readonly #watchers = new Map<keyof Values, (() => void)[]>();

  constructor(values: Values) {
    this.#values = values;
  }

  get<K extends keyof Values>(key: K): Values[K] {
    return this.#values[key];
  }

  /** Changes a value. Who watches it has been told when this returns. */
  set<K extends keyof Values>(key: K, value: Values[K]): void {
    this.#values = { ...this.#values, [key]: value };
    for (const tell of this.#watchers.get(key) ?? []) tell();
  }

  /** Calls `watcher` after each change of a value. */
  watch<K extends keyof Values>(key: K, watcher: (value: Values[K]) => void): void {
    const watchers = this.#watchers.get(key) ?? [];
    this.#watchers.set(key, [...watchers, () => watcher(this.#values[key])]);
  }

  /** Calls `show` now and after each change of a value. */
  show<K extends keyof Values>(key: K, show: (value: Values[K]) => void): void {
    show(this.#values[key]);
    this.watch(key, show);
  }
}
