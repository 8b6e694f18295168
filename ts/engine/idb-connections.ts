/** The generated function that is called once for every connection to IndexedDB that the engine opens. */
const SETTER = /^__wbg_set_onversionchange_/;

/**
 * The connections of an instance to IndexedDB, so that they can be closed when it dies. Otherwise they would stay open
 * until they are collected, and keep the database from being deleted.
 */
export class IdbConnections {
  readonly #connections = new Set<WeakRef<IDBDatabase>>();

  /** The imports of the instance, one of them watched. */
  watch(imports: WebAssembly.Imports): WebAssembly.Imports {
    const modules = Object.entries(imports).map(([name, members]) => [name, this.#watchModule(members)]);
    return Object.fromEntries(modules);
  }

  closeAll(): void {
    for (const connection of this.#connections) connection.deref()?.close();
    this.#connections.clear();
  }

  #watchModule(members: WebAssembly.ModuleImports): WebAssembly.ModuleImports {
    const watched = { ...members };
    for (const [name, value] of Object.entries(members))
      if (SETTER.test(name) && typeof value === 'function')
        watched[name] = (connection: IDBDatabase, handler: unknown): unknown => {
          this.#connections.add(new WeakRef(connection));
          return value(connection, handler);
        };
    return watched;
  }
}
