import { Connection, MEMORY } from '../client/connection.js';
import { SessionChannel } from '../client/session-channel.js';
import { failure } from '../errors/errors.js';
import { startTransport } from '../transport/start.js';
import { requireString, requireWellFormed } from '../wire/text.js';
import { Client } from './client.js';
import {
  type LocationOptions,
  location,
  type OpenOptions,
  type SessionOptions,
  type SessionUser,
  type Settings,
  sessionDefaults,
  sessionUser,
  settings,
} from './options.js';
import { Session } from './session.js';
import {
  type CheckReport,
  type EngineStorage,
  type SalvageReport,
  type StorageReport,
  storageReport,
} from './storage.js';

/**
 * An open database. Its own calls run as the application itself, which may do everything; what users do goes through
 * their sessions.
 */
export class KalamDB extends Client {
  private constructor(connection: Connection, { defaults }: Settings) {
    super(new SessionChannel(connection, { role: 'system' }), defaults);
  }

  /**
   * Opens a database and makes it if there is none.
   *
   * @param name - the name of the database in this origin; `'memory:'` for one that is never kept
   * @throws {@link KalamDBError} `invalid_name`, `storage_unavailable`, `schema_too_new`, `data_corrupted`; `engine_crashed` when
   *   a part of the package could not be loaded
   */
  static async open(name: string, options: OpenOptions = {}): Promise<KalamDB> {
    requireName(name);
    const chosen = settings(options);
    return new KalamDB(await Connection.open(name, chosen), chosen);
  }

  /**
   * Deletes a database and everything in it; there need not be one. It waits for nobody: where the database is open, later calls
   * reject with `database_closed`. An empty IndexedDB database of that name is left.
   *
   * @param options - where the parts of the package are, as for {@link KalamDB.open}
   * @throws {@link KalamDBError} `object_in_use` when newer or foreign code has made the database and keeps it open
   */
  static async delete(name: string, options: LocationOptions = {}): Promise<void> {
    requireName(name);
    const transport = await startTransport(location(options));
    try {
      await transport.call({ kind: 'delete', name });
    } finally {
      transport.dispose();
    }
  }

  /** Where the rows are: `'memory'` also when there was no storage and `onStorageUnavailable` allows that. */
  get mode(): 'indexeddb' | 'memory' {
    return this.channel.connection.name === MEMORY ? 'memory' : 'indexeddb';
  }

  /**
   * The greatest `_seq` that is known to be kept: of all writes through this database and its sessions that have been
   * acknowledged, transactions among them; 0 before the first. What other tabs write does not count.
   */
  get durableSeq(): number {
    return this.channel.connection.durableSeq;
  }

  /**
   * Opens a session of a user. Nothing is asked of the engine until its first call; a crash of the engine does not end it.
   *
   * The id and the role are taken at their word: the application must know who its user is.
   *
   * @param user - who it is; an id may be any string. The role is `'user'` where none is given
   * @param options - the defaults of its calls, where they differ from the database's
   * @throws {@link KalamDBError} `character_not_in_repertoire`, `database_closed`
   * @example
   * const session = db.session({ userId: 'alice' });
   * const { rows } = await session.query('SELECT * FROM notes');
   */
  session(user: SessionUser, options?: SessionOptions): Session {
    const { userId, role } = sessionUser(user);
    const defaults = sessionDefaults(options, this.defaults);
    this.channel.connection.requireOpen();
    return new Session(new SessionChannel(this.channel.connection, { userId, role }), defaults, userId, role);
  }

  /** How much is stored, by table and user, and how safe it is. Rows of other tabs count as far as this one has read them. */
  async storage(): Promise<StorageReport> {
    const stored: EngineStorage = JSON.parse(await this.channel.connection.call({ kind: 'storage' }));
    return storageReport(this.mode, stored);
  }

  /**
   * Asks the browser never to evict the origin's data. Some ask the user, others decide by how much the site is used.
   *
   * @returns whether the data is safe from eviction now; false where the browser has no such promise, as in a worker
   */
  async requestPersistence(): Promise<boolean> {
    this.channel.connection.requireOpen();
    return (await globalThis.navigator?.storage?.persist?.()) ?? false;
  }

  /** Reads every stored record and lists what is damaged. Nothing is changed; it takes as long as reading all that is stored. */
  async check(): Promise<CheckReport> {
    return JSON.parse(await this.channel.connection.call({ kind: 'check' }));
  }

  /**
   * Collects the rows that are readable where some are not, for an export. Nothing is changed. All of them are in memory at once.
   *
   * Around a damaged record rows may be found in versions before their last; `damaged` says what is missing.
   */
  async salvage(): Promise<SalvageReport> {
    return JSON.parse(await this.channel.connection.call({ kind: 'salvage' }));
  }

  /** Waits for the calls in flight and closes the database and its sessions; later calls reject with `database_closed`. */
  close(): Promise<void> {
    return this.channel.connection.close();
  }
}

function requireName(name: unknown): void {
  requireString('the name of the database', name);
  if (name === '') throw failure('invalid_name', 'the name of the database is empty');
  requireWellFormed(name, 'the name of the database');
}
