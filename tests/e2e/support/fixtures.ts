import { type BrowserContextOptions, test as base } from '@playwright/test';
import { Profile } from './browser.js';
import { ConsolePage } from './console-page.js';
import { startServer, type TestServer } from './server.js';

interface TestFixtures {
  readonly profile: Profile;
  /** Opens the demo in a browser on the test's profile; the browser ends with the test. */
  readonly openDemo: (options?: BrowserContextOptions) => Promise<ConsolePage>;
}

interface WorkerFixtures {
  readonly server: TestServer;
}

/** Playwright's `test` with a profile on disk and the files served. */
export const test = base.extend<TestFixtures, WorkerFixtures>({
  server: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of the parameters
    async ({}, use) => {
      const server = await startServer();
      await use(server);
      await server.close();
    },
    { scope: 'worker' },
  ],
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of the parameters
  profile: async ({}, use) => {
    const profile = await Profile.create();
    await use(profile);
    await profile.remove();
  },
  openDemo: async ({ profile, server }, use) => {
    await use(async (options) => {
      const context = await profile.launch(options);
      return ConsolePage.open(await context.newPage(), server.demoUrl);
    });
  },
});

export { expect } from '@playwright/test';
