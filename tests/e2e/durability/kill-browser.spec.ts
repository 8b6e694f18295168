import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '../support/fixtures.js';
import { HarnessPage } from '../support/harness-page.js';
import { Ledger } from '../support/ledger.js';
import { log } from '../support/log.js';
import { OperationSource } from '../support/operations.js';
import { killBrowser } from '../support/processes.js';
import { Random, runSeed } from '../support/random.js';
import { signal } from '../support/signal.js';

const KILLS = 25;

test(`nothing acknowledged is lost when the browser is killed ${KILLS} times`, async ({ profile, server }) => {
  const random = new Random(runSeed());
  const source = new OperationSource(random);
  const ledger = new Ledger();

  for (let kill = 1; kill <= KILLS; kill += 1) {
    await test.step(`kill ${kill}`, async () => {
      const context = await profile.launch();
      const closed = new Promise<void>((resolve) => context.once('close', () => resolve()));
      const killAfter = random.between(3, 60);
      let handedOut = 0;
      const due = signal();
      const harness = await HarnessPage.open(await context.newPage(), server.harnessUrl, {
        nextOperations: () => {
          handedOut += 1;
          if (handedOut === killAfter) due.give();
          const operations = source.next();
          for (const operation of operations) ledger.begin(operation);
          return operations;
        },
        acknowledge: (number) => ledger.acknowledge(number),
      });
      const { unanswered, happened } = ledger.settle(await harness.read());

      const before = ledger.acknowledged;
      const end = harness.writeForEver().catch((error: unknown) => String(error));
      await Promise.race([due.given, end.then((reason) => Promise.reject(new Error(`writing stopped: ${reason}`)))]);
      // The kill must be able to meet a statement at any point of its way.
      await delay(random.between(0, 25));
      expect(await killBrowser(profile.directory)).toBeGreaterThan(1);
      await Promise.all([closed, end]);
      log(
        `kill ${kill}: ${ledger.acknowledged - before} statements acknowledged (before: ${unanswered} unanswered, ${happened} of them done)`,
      );
    });
  }

  const context = await profile.launch();
  const listener = { nextOperations: () => [], acknowledge: () => undefined };
  const harness = await HarnessPage.open(await context.newPage(), server.harnessUrl, listener);
  ledger.settle(await harness.read());
  expect(ledger.acknowledged).toBeGreaterThan(KILLS * 3);
  await context.close();
});
