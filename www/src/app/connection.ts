/** The one open database of the page. */
import { KalamDB, type Session } from 'kalamdb';

/** The database that the demo opens. It is kept in IndexedDB under this name. */
export const DATABASE_NAME = 'demo';

/** What the header says about the database. */
export type ConnectionState =
  | { readonly type: 'opening' }
  | { readonly type: 'ready'; readonly openMs: number; readonly mode: KalamDB['mode'] }
  | { readonly type: 'failed'; readonly error: unknown };

/** Holds the one open database of the page; every part of the demo asks it for the current one. */
export class Connection {
  #db: KalamDB | null = null;
  /** Sessions on the open database, by their user's id. */
  readonly #sessions = new Map<string, Session>();
  readonly #onState: (state: ConnectionState) => void;

  constructor(onState: (state: ConnectionState) => void) {
    this.#onState = onState;
  }

  /** The open database, or `null` while there is none. */
  get db(): KalamDB | null {
    return this.#db;
  }

  /** The open database as a user sees it; without an id, as the application does. `null` while there is none. */
  as(userId: string): KalamDB | Session | null {
    const db = this.#db;
    if (db === null || userId === '') return db;
    const session = this.#sessions.get(userId) ?? db.session({ userId });
    this.#sessions.set(userId, session);
    return session;
  }

  /** Opens the database; a failure is reported as a state and not thrown. */
  async open(): Promise<void> {
    this.#onState({ type: 'opening' });
    const start = performance.now();
    try {
      const db = await KalamDB.open(DATABASE_NAME);
      this.#db = db;
      this.#onState({ type: 'ready', openMs: performance.now() - start, mode: db.mode });
    } catch (error) {
      this.#db = null;
      this.#onState({ type: 'failed', error });
    }
  }

  /** Closes what is left of a connection that failed, and opens again. */
  async reopen(): Promise<void> {
    await this.#close();
    await this.open();
  }

  /**
   * Deletes the database with everything in it and opens an empty one. In other tabs it is closed then.
   *
   * @throws KalamDBError when that fails; the database is then open again here
   */
  async reset(): Promise<void> {
    await this.#close();
    try {
      await KalamDB.delete(DATABASE_NAME);
    } finally {
      await this.open();
    }
  }

  async #close(): Promise<void> {
    const db = this.#db;
    this.#db = null;
    this.#sessions.clear();
    // A connection whose engine has crashed may refuse; a new one is opened either way.
    await db?.close().catch(() => undefined);
  }
}
