import type { BrowserContext, Page } from '@playwright/test';
import type { AttackOperation, AttackRows } from './attack-ledger.js';

/** How an engine is killed: told to trap, by a statement that traps, or with its worker. */
export type Way = 'crash' | 'statement' | 'terminate';

/** How the engine of a page is killed again and again. */
export interface Kills {
  readonly times: number;
  readonly ways: readonly Way[];
  /** It lives for up to so many milliseconds after it was asked for much. */
  readonly maxDelay: number;
  /** So many in ten of the things that it is asked for are flushes, compactions and changes of definitions. */
  readonly heavy: number;
}

/** What `pages/attack.js` puts into its page. */
interface Attack {
  open(name: string, number: number): Promise<unknown>;
  write(ways: readonly Way[], rounds: number): Promise<void>;
  kill(kills: Kills): Promise<void>;
  stop(): void;
  take(): AttackOperation[];
  read(): Promise<AttackRows>;
  check(): Promise<{ ok: boolean; damaged: unknown[] }>;
  killed(): number;
  empty(): Promise<void>;
}

declare global {
  var attack: Attack;
}

/** One of several pages that write to one database while their engines are killed. */
export class AttackPage {
  readonly #page: Page;
  #writing: Promise<void> = Promise.resolve();

  private constructor(page: Page) {
    this.#page = page;
  }

  /** Opens a page on the database; the numbers of its operations begin with its own. */
  static async open(context: BrowserContext, url: string, name: string, number: number): Promise<AttackPage> {
    const page = await context.newPage();
    await page.goto(url);
    await page.waitForFunction(() => globalThis.attack !== undefined);
    await page.evaluate(([given, of]) => attack.open(given, of), [name, number] as const);
    return new AttackPage(page);
  }

  /**
   * Begins to write. The page kills its own engine after so many rounds on average.
   *
   * @returns what rejects if the page stops by itself
   */
  start(ways: readonly Way[], rounds: number): Promise<void> {
    this.#writing = this.#page.evaluate(([given, of]) => attack.write(given, of), [ways, rounds] as const);
    return this.#writing;
  }

  /** Ends writing; returns when all that was begun has ended. */
  async stop(): Promise<void> {
    await this.#page.evaluate(() => attack.stop());
    await this.#writing;
  }

  /** Asks for much without waiting and kills the engine, so many times. */
  async kill(kills: Kills): Promise<void> {
    await this.#page.evaluate((given) => attack.kill(given), kills);
  }

  /** The page's operations since the last time. */
  take(): Promise<AttackOperation[]> {
    return this.#page.evaluate(() => attack.take());
  }

  /** All rows as of one moment. */
  read(): Promise<AttackRows> {
    return this.#page.evaluate(() => attack.read());
  }

  check(): Promise<{ ok: boolean; damaged: unknown[] }> {
    return this.#page.evaluate(() => attack.check());
  }

  /** How many engines the page has killed. */
  killed(): Promise<number> {
    return this.#page.evaluate(() => attack.killed());
  }

  /** Takes everything away that is stored. */
  empty(): Promise<void> {
    return this.#page.evaluate(() => attack.empty());
  }
}
