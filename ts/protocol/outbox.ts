/** So many are posted without waiting for more, so that the other side begins. */
const MAX_ITEMS = 64;

/** Posts what comes one by one in few messages: the first at once, and together what else comes in the same task. */
export class Outbox<T> {
  readonly #post: (items: T[]) => void;
  #items: T[] = [];
  #isWaiting = false;

  constructor(post: (items: T[]) => void) {
    this.#post = post;
  }

  add(item: T): void {
    if (!this.#isWaiting) {
      this.#isWaiting = true;
      queueMicrotask(() => {
        this.#isWaiting = false;
        this.flush();
      });
      this.#post([item]);
      return;
    }
    this.#items.push(item);
    if (this.#items.length >= MAX_ITEMS) this.flush();
  }

  /** Posts what still waits. */
  flush(): void {
    if (this.#items.length === 0) return;
    const items = this.#items;
    this.#items = [];
    this.#post(items);
  }
}
