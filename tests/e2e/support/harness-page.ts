import type { Page } from '@playwright/test';
import type { Operation, State } from './operations.js';

/** What `pages/harness.js` puts into its page. */
interface Harness {
  open(name: string, options: { durability: 'relaxed' | 'strict' }): Promise<void>;
  read(): Promise<{ items: [number, number, number][]; events: [number, number][]; count: number }>;
  write(operation: Operation): Promise<void>;
  writeForEver(): Promise<void>;
}

declare global {
  var harness: Harness;
}

/** The test's ends of what the page calls. */
export interface WriteListener {
  nextOperations(): Operation[];
  acknowledge(number: number): void;
}

/** The page that writes, seen from the test. */
export class HarnessPage {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  /** Loads the page and opens the database. */
  static async open(page: Page, url: string, listener: WriteListener): Promise<HarnessPage> {
    await page.exposeFunction('nextOperations', () => listener.nextOperations());
    await page.exposeFunction('acknowledge', (number: number) => listener.acknowledge(number));
    await page.goto(url);
    await page.waitForFunction(() => globalThis.harness !== undefined);
    await page.evaluate(() => harness.open('durable', { durability: 'relaxed' }));
    return new HarnessPage(page);
  }

  /** What the database holds. */
  async read(): Promise<State> {
    const { items, events, count } = await this.page.evaluate(() => harness.read());
    if (items.length !== count) throw new Error(`count(*) is ${count}, and there are ${items.length} rows`);
    return { items: new Map(items.map(([id, op, value]) => [id, { op, value }])), events: new Map(events) };
  }

  /** Starts writing without an end. The promise rejects when the page dies, or when a write fails before that. */
  writeForEver(): Promise<void> {
    return this.page.evaluate(() => harness.writeForEver());
  }

  write(operation: Operation): Promise<void> {
    return this.page.evaluate((given) => harness.write(given), operation);
  }
}
