import type { Page } from '@playwright/test';
import { expect, test } from '../support/fixtures.js';
import { HarnessPage } from '../support/harness-page.js';
import { Ledger } from '../support/ledger.js';
import { OperationSource } from '../support/operations.js';
import { Random, runSeed } from '../support/random.js';
import { signal } from '../support/signal.js';

const ROUNDS = 12;

/** Ways to end a page, none of which lets it do anything more. */
const ENDINGS: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  closed: (page) => page.close({ runBeforeUnload: false }),
  crashed: async (page) => {
    const crashed = new Promise<void>((resolve) => page.once('crash', () => resolve()));
    const session = await page.context().newCDPSession(page);
    // The renderer that should answer is gone, so there is no answer.
    session.send('Page.crash').catch(() => undefined);
    await crashed;
    await page.close();
  },
};

for (const [ending, end] of Object.entries(ENDINGS)) {
  test(`nothing acknowledged is lost when the page is ${ending} right after`, async ({ profile, server }) => {
    const source = new OperationSource(new Random(runSeed()));
    const ledger = new Ledger();
    const context = await profile.launch();

    for (let round = 1; round <= ROUNDS; round += 1) {
      const page = await context.newPage();
      const acknowledged = signal();
      let left = 0;
      const harness = await HarnessPage.open(page, server.harnessUrl, {
        nextOperations: () => [],
        acknowledge: (number) => {
          ledger.acknowledge(number);
          left -= 1;
          if (left === 0) acknowledged.give();
        },
      });
      ledger.settle(await harness.read());
      const operations = [...source.next(), ...source.next(), ...source.next()];
      left = operations.length;
      for (const operation of operations) ledger.begin(operation);
      // One after the other: the model applies them in the order of their acknowledgement.
      const writing = page.evaluate(async (given) => {
        for (const operation of given) await harness.write(operation);
      }, operations);
      const failed = writing.then(
        () => undefined,
        (error: unknown) => error,
      );
      await Promise.race([acknowledged.given, failed]);
      expect(left).toBe(0);
      await end(page);
      await failed;
    }

    const last = { nextOperations: () => [], acknowledge: () => undefined };
    const harness = await HarnessPage.open(await context.newPage(), server.harnessUrl, last);
    ledger.settle(await harness.read());
    await context.close();
  });
}
