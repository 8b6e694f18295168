import { WeakList } from './weak-list.js';

/**
 * What an instance has under way in IndexedDB, so that nothing of it goes on when the instance dies.
 *
 * Otherwise a transaction would commit by itself as soon as it has no further request, and nobody would have checked that it may.
 * A connection would stay open until it is collected, and keep the database from being deleted.
 */
export class IdbActivity {
  readonly #openings = new WeakList<IDBOpenDBRequest>();
  readonly #connections = new WeakList<IDBDatabase>();
  readonly #transactions = new WeakList<IDBTransaction>();

  /** The generated functions that are watched, by their names, and what is done with their first argument and their result. */
  readonly #watchers: [name: RegExp, note: (self: unknown, result: unknown) => void][] = [
    [/^__wbg_set_onupgradeneeded_/, (request) => this.#openings.add(request as IDBOpenDBRequest)],
    [/^__wbg_set_onversionchange_/, (connection) => this.#connections.add(connection as IDBDatabase)],
    [/^__wbg_transaction_/, (_, result) => this.#begun(result)],
  ];

  /** The imports of the instance, some of them watched. */
  watch(imports: WebAssembly.Imports): WebAssembly.Imports {
    const modules = Object.entries(imports).map(([name, members]) => [name, this.#watchModule(members)]);
    return Object.fromEntries(modules);
  }

  /** Undoes what is under way and closes the connections, also those that are yet to open. */
  end(): void {
    for (const transaction of this.#transactions.items()) abort(transaction);
    for (const request of this.#openings.items()) giveUp(request);
    for (const connection of this.#connections.items()) connection.close();
  }

  #watchModule(members: WebAssembly.ModuleImports): WebAssembly.ModuleImports {
    const watched = { ...members };
    for (const [name, value] of Object.entries(members)) {
      const note = this.#watchers.find(([pattern]) => pattern.test(name))?.[1];
      if (note === undefined || typeof value !== 'function') continue;
      watched[name] = (...args: unknown[]): unknown => {
        const result = value(...args);
        note(args[0], result);
        return result;
      };
    }
    return watched;
  }

  /** Functions of that name also give the transaction of an object store, and nothing when they fail. */
  #begun(result: unknown): void {
    if (result instanceof IDBTransaction && result.mode !== 'readonly') this.#transactions.add(result);
  }
}

function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch {
    // It has ended, or was told to commit: whoever did that had checked it.
  }
}

/** A request to open a database cannot be taken back: a database that it would make would have nothing in it. */
function giveUp(request: IDBOpenDBRequest): void {
  const undo = (): void => {
    if (request.transaction !== null) abort(request.transaction);
  };
  const close = (): void => {
    // It has no result if it has failed.
    if (request.readyState === 'done' && request.error === null) request.result.close();
  };
  undo();
  close();
  request.addEventListener('upgradeneeded', undo);
  request.addEventListener('success', close);
}
