import { type BrowserContext, expect } from '@playwright/test';
import { type AttackOperation, type AttackRows, checkAttack } from './attack-ledger.js';
import { AttackPage, type Kills } from './attack-page.js';
import type { Profile } from './browser.js';
import { log } from './log.js';

const NAME = 'attacked';
const WRITERS = [1, 2, 3];
/** The page whose engine is killed again and again. */
const VICTIM = 4;
/** After so many kills everything is compared, and the database is emptied, so that the next ones take no longer. */
const KILLS_PER_CHECK = 60;
/** The engine of a writer is killed once in so many rounds of writing. */
const ROUNDS = 80;

/**
 * Three pages write to one database while the engine of a fourth is killed in the middle of what it does, now and then those of
 * the others too. In the end all acknowledged writes are there once, nothing that was refused is, what had no answer is there
 * wholly or not at all, and nothing is damaged.
 */
export async function runAttack(profile: Profile, url: string, kills: Kills): Promise<void> {
  const context = await profile.launch();
  const open = (page: number): Promise<AttackPage> => AttackPage.open(context, url, NAME, page);
  const victim = await open(VICTIM);
  const writers = await Promise.all(WRITERS.map(open));
  let operations: AttackOperation[] = [];
  for (let done = 0; done < kills.times; done += KILLS_PER_CHECK) {
    if (done > 0) await victim.empty();
    try {
      operations = await attack(victim, writers, { ...kills, times: Math.min(KILLS_PER_CHECK, kills.times - done) });
      await expectSame([victim, ...writers], operations);
    } finally {
      const killed = await Promise.all([victim, ...writers].map((page) => page.killed()));
      log(`engines killed so far: ${killed.join(' + ')}; the last operations: ${summary(operations)}`);
    }
  }
  const rows = await victim.read();
  await context.close();
  const later: BrowserContext = await profile.launch();
  await expectSame([await AttackPage.open(later, url, NAME, 0)], operations, rows);
  await later.close();
}

/** Gives the operations of all pages, which are at rest then. */
async function attack(victim: AttackPage, writers: AttackPage[], kills: Kills): Promise<AttackOperation[]> {
  const writing = Promise.all(writers.map((page) => page.start(kills.ways, ROUNDS)));
  const stopped = writing.then(() => Promise.reject(new Error('the writers have stopped by themselves')));
  await Promise.race([victim.kill(kills), stopped]);
  for (const page of writers) await page.stop();
  return (await Promise.all([victim, ...writers].map((page) => page.take()))).flat();
}

/** All pages have the rows that there must be, and the same ones. */
async function expectSame(pages: AttackPage[], operations: AttackOperation[], rows?: AttackRows): Promise<void> {
  let expected = rows;
  for (const page of pages) {
    // Word of the last commit may be on its way, and many rows take a while to read.
    await expect(async () => {
      const found = await page.read();
      checkAttack(operations, found);
      expect(found).toEqual(expected ?? found);
      expected = found;
    }).toPass({ timeout: 60_000 });
    expect(await page.check()).toMatchObject({ ok: true, damaged: [] });
  }
}

function summary(operations: readonly AttackOperation[]): string {
  const of = (outcome: AttackOperation['outcome']): number =>
    operations.filter((operation) => operation.outcome === outcome).length;
  return `${of('acknowledged')} acknowledged, ${of('refused')} refused, ${of('unknown')} without an answer`;
}
