/** Keeps the catalog in the state up to date. */
import { readCatalog } from '../tables/catalog';
import type { Connection } from './connection';
import type { CatalogState, State } from './state';

/** Reads the catalog when the database opens, when the tab comes back, and when it is told to. */
export class CatalogRefresh {
  readonly #connection: Connection;
  readonly #state: State;
  #started = 0;

  constructor(connection: Connection, state: State) {
    this.#connection = connection;
    this.#state = state;
    state.watch('connection', ({ type }) => {
      if (type === 'ready') this.refresh();
    });
    // Another tab may have changed the tables meanwhile.
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.refresh();
    });
  }

  /** Reads it again, without waiting for that. */
  refresh(): void {
    void this.#read();
  }

  async #read(): Promise<void> {
    const { db } = this.#connection;
    if (db === null) return;
    this.#started += 1;
    const number = this.#started;
    const catalog = await readCatalog(db).then(
      (tables): CatalogState => ({ type: 'read', tables }),
      (error: unknown): CatalogState => ({ type: 'failed', error }),
    );
    // A later reading knows better, and one of a database that was closed meanwhile knows nothing.
    if (number === this.#started && db === this.#connection.db) this.#state.set('catalog', catalog);
  }
}
