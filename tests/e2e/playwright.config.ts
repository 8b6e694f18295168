import { defineConfig } from '@playwright/test';

// Playwright looks for a default export here.
export default defineConfig({
  testDir: '.',
  globalSetup: './support/build-demo.ts',
  outputDir: '../../test-results',
  // Every test starts a browser of its own with a profile on disk; more than one at a time would only be slower.
  workers: 1,
  forbidOnly: true,
  retries: 0,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: [['list']],
  projects: [
    { name: 'demo', testDir: 'demo' },
    { name: 'durability', testDir: 'durability', timeout: 15 * 60_000 },
  ],
});
