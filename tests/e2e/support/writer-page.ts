import type { BrowserContext, Page } from '@playwright/test';
import type { Rows, SharedLedger } from './shared-ledger.js';
import { signal } from './signal.js';

/** What `pages/writer.js` puts into its page. */
interface Writer {
  open(name: string): Promise<void>;
  read(): Promise<Rows>;
  writeUntilTold(): Promise<void>;
  query(sql: string): Promise<unknown[][]>;
  failure(sql: string): Promise<{ code: string; hint?: string } | null>;
  reserveBytes(name: string): Promise<number>;
  isOpen(): boolean;
  deleteDatabase(name: string): Promise<void>;
}

declare global {
  var writer: Writer;
}

/** Ways to end a page, none of which lets it do anything more. */
export const ENDINGS: readonly ((page: Page) => Promise<void>)[] = [
  (page) => page.close({ runBeforeUnload: false }),
  async (page) => {
    const crashed = new Promise<void>((resolve) => page.once('crash', () => resolve()));
    const session = await page.context().newCDPSession(page);
    // The renderer that should answer is gone, so there is no answer.
    session.send('Page.crash').catch(() => undefined);
    await crashed;
    await page.close();
  },
];

/** One of several pages that write to one database at the same time. */
export class WriterPage {
  readonly page: Page;
  readonly number: number;
  #acknowledged = 0;
  #due = { at: Number.POSITIVE_INFINITY, ...signal() };
  #isToStop = false;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(page: Page, number: number) {
    this.page = page;
    this.number = number;
  }

  /** Opens a page on the database. What it writes comes from the ledger, under the page's number. */
  static async open(context: BrowserContext, url: string, name: string, number: number, ledger?: SharedLedger) {
    const page = await context.newPage();
    const opened = new WriterPage(page, number);
    await page.exposeFunction('nextOperations', () => (opened.#isToStop ? [] : ledger?.next(number)));
    await page.exposeFunction('refused', (operation: number) => ledger?.refuse(operation));
    await page.exposeFunction('acknowledge', (operation: number) => {
      ledger?.acknowledge(operation);
      opened.#acknowledged += 1;
      if (opened.#acknowledged >= opened.#due.at) opened.#due.give();
    });
    await page.goto(url);
    await opened.load(name);
    return opened;
  }

  /** Opens the database in the page as it is. */
  async load(name: string): Promise<void> {
    await this.page.waitForFunction(() => globalThis.writer !== undefined);
    await this.page.evaluate((given) => writer.open(given), name);
  }

  read(): Promise<Rows> {
    return this.page.evaluate(() => writer.read());
  }

  query(sql: string): Promise<unknown[][]> {
    return this.page.evaluate((given) => writer.query(given), sql);
  }

  /** How a query fails; null if it does not. */
  failure(sql: string): Promise<{ code: string; hint?: string } | null> {
    return this.page.evaluate((given) => writer.failure(given), sql);
  }

  /** How much space is kept aside; 0 if there is no reserve. */
  reserveBytes(name: string): Promise<number> {
    return this.page.evaluate((given) => writer.reserveBytes(given), name);
  }

  /** Begins to write. */
  start(): void {
    this.#writing = this.page.evaluate(() => writer.writeUntilTold()).catch((error: unknown) => error);
  }

  /** Waits until so many more operations are acknowledged; fails if the page stops writing before. */
  async acknowledges(count: number): Promise<void> {
    this.#due = { at: this.#acknowledged + count, ...signal() };
    const stopped = this.#writing.then((error) => Promise.reject(new Error(`page ${this.number} stopped: ${error}`)));
    await Promise.race([this.#due.given, stopped]);
  }

  /** Ends writing; returns when all that was begun has its answer. */
  async stop(): Promise<void> {
    this.#isToStop = true;
    const error = await this.#writing;
    if (error !== undefined) throw error;
  }

  /** Ends the page in the middle of what it does. */
  async kill(end: (page: Page) => Promise<void>): Promise<void> {
    await end(this.page);
    await this.#writing;
  }
}
