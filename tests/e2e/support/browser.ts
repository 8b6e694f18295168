import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, type BrowserContextOptions, chromium, type LaunchOptions } from '@playwright/test';
import { launchOptions } from '../../browser/chromium.mjs';

/** A browser profile on disk: what is stored in it outlives the browser. An ordinary context would keep IndexedDB in memory. */
export class Profile {
  readonly directory: string;
  readonly #browsers = new Set<BrowserContext>();

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async create(): Promise<Profile> {
    return new Profile(await mkdtemp(join(tmpdir(), 'kalamdb-profile-')));
  }

  /** Starts a browser on this profile. */
  async launch(
    options: BrowserContextOptions & Pick<LaunchOptions, 'ignoreDefaultArgs'> = {},
  ): Promise<BrowserContext> {
    const context = await chromium.launchPersistentContext(this.directory, {
      ...launchOptions,
      ...options,
    });
    context.setDefaultTimeout(30_000);
    this.#browsers.add(context);
    context.once('close', () => this.#browsers.delete(context));
    return context;
  }

  /** Ends the browsers that a test left running, and deletes the directory. */
  async remove(): Promise<void> {
    for (const context of this.#browsers) await context.close();
    // A browser that was killed may have left a process that is still letting go of its files.
    await rm(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}
