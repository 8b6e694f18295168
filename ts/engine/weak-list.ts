/** So many items are looked through at least before the list is. */
const MIN_ITEMS = 64;

/**
 * Items that are in use elsewhere, without keeping them. To add one costs a fraction of a microsecond: the list is looked through
 * only when it has doubled.
 */
export class WeakList<T extends object> {
  #items: WeakRef<T>[] = [];
  #limit = MIN_ITEMS;

  add(item: T): void {
    if (this.#items.length >= this.#limit) {
      this.#items = this.#items.filter((known) => known.deref() !== undefined);
      this.#limit = 2 * this.#items.length + MIN_ITEMS;
    }
    this.#items.push(new WeakRef(item));
  }

  /** Those that are still there. */
  items(): T[] {
    return this.#items.flatMap((known) => known.deref() ?? []);
  }
}
