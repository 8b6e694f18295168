import { expect, test } from '../support/fixtures.js';
import { log } from '../support/log.js';
import { Random, runSeed } from '../support/random.js';
import { SharedLedger } from '../support/shared-ledger.js';
import { ENDINGS, WriterPage } from '../support/writer-page.js';

const PAGES = [1, 2, 3, 4];
/** `E2E_KILLS=200` takes longer. */
const KILLS = Number(process.env.E2E_KILLS ?? 16);

test(`four pages write at once, and one is killed ${KILLS} times`, async ({ profile, server }) => {
  const random = new Random(runSeed());
  const ledger = new SharedLedger(random);
  let context = await profile.launch();
  const open = (page: number): Promise<WriterPage> =>
    WriterPage.open(context, server.writerUrl, 'shared', page, ledger);
  const pages = new Map<number, WriterPage>();
  for (const page of PAGES) pages.set(page, await open(page));
  for (const page of pages.values()) page.start();

  for (let kill = 1; kill <= KILLS; kill += 1) {
    const number = random.between(1, PAGES.length);
    const victim = pages.get(number);
    const end = ENDINGS[random.between(0, ENDINGS.length - 1)];
    if (victim === undefined || end === undefined) throw new Error('there is no such page');
    await victim.acknowledges(random.between(1, 40));
    await victim.kill(end);
    const successor = await open(number);
    const rows = await successor.read();
    const unanswered = ledger.killed(number, rows);
    ledger.check(rows, number);
    log(
      `kill ${kill}: page ${number}, ${ledger.count('acknowledged')} operations acknowledged, ${unanswered} had no answer`,
    );
    pages.set(number, successor);
    successor.start();
  }

  for (const page of pages.values()) await page.acknowledges(5);
  for (const page of pages.values()) await page.stop();
  for (const page of pages.values()) {
    // Word of the last commit is on its way.
    await expect(async () => ledger.check(await page.read())).toPass();
  }
  await context.close();
  context = await profile.launch();
  ledger.check(await (await open(0)).read());
  expect(ledger.count('acknowledged')).toBeGreaterThan(KILLS);
  await context.close();
});
