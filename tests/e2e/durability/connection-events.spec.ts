import type { BrowserContext } from '@playwright/test';
import { expect, test } from '../support/fixtures.js';
import { log } from '../support/log.js';
import { RawPage } from '../support/raw-page.js';
import { WriterPage } from '../support/writer-page.js';

const NAME = 'events';
const COUNT = 'SELECT count(*) FROM events';

const open = (context: BrowserContext, url: string): Promise<WriterPage> => WriterPage.open(context, url, NAME, 1);

const WAIT_FOR_WRITER = `new Promise((resolve) => {
  const look = () => (globalThis.writer === undefined ? requestAnimationFrame(look) : resolve());
  look();
})`;

/** Freezes a page with its workers, as a browser does to one that was long in the background, or lets it go on. */
async function setLifecycle(page: WriterPage, state: 'frozen' | 'active'): Promise<void> {
  const session = await page.page.context().newCDPSession(page.page);
  await session.send('Page.setWebLifecycleState', { state });
}

test('a page that was frozen goes on with what others have written', async ({ profile, server }) => {
  const context = await profile.launch();
  const [frozen, other] = [await open(context, server.writerUrl), await open(context, server.writerUrl)];
  await frozen.query('INSERT INTO events VALUES (1)');
  await setLifecycle(frozen, 'frozen');
  await other.query('INSERT INTO events VALUES (2)');
  await setLifecycle(frozen, 'active');
  // A write is computed from all that is stored.
  await frozen.query('INSERT INTO events SELECT 100 + count(*) FROM events');
  expect(await frozen.query('SELECT op FROM events ORDER BY op')).toEqual([[1], [2], [102]]);
  await expect.poll(() => other.query(COUNT)).toEqual([[3]]);
  await context.close();
});

test('a page that was frozen learns that the database is gone', async ({ profile, server }) => {
  const context = await profile.launch();
  const [frozen, other] = [await open(context, server.writerUrl), await open(context, server.writerUrl)];
  await frozen.query('INSERT INTO events VALUES (1)');
  await setLifecycle(frozen, 'frozen');
  // A frozen page does not make way: deleting may have to wait for it.
  const deleted = other.page.evaluate((name) => writer.deleteDatabase(name), NAME).catch((error: unknown) => error);
  await setLifecycle(frozen, 'active');
  await deleted;
  await expect.poll(() => frozen.failure(COUNT)).toEqual({ code: 'database_closed', hint: expect.any(String) });
  await other.load(NAME);
  expect(await other.query(COUNT)).toEqual([[0]]);
  expect(await frozen.failure('INSERT INTO events VALUES (2)')).toMatchObject({ code: 'database_closed' });
  await context.close();
});

test('a page says that newer code has upgraded the database', async ({ profile, server }) => {
  const context = await profile.launch();
  const [old, newer] = [await open(context, server.writerUrl), await context.newPage()];
  await newer.goto(server.writerUrl);
  await newer.evaluate(
    (name) =>
      new Promise<void>((resolve, reject) => {
        const request = indexedDB.open(`kalamdb/${name}`, 1000);
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
          request.result.close();
          resolve();
        };
      }),
    NAME,
  );
  await expect.poll(() => old.failure('INSERT INTO events VALUES (1)')).toMatchObject({ code: 'schema_too_new' });
  await context.close();
});

test('a page whose data the browser has cleared does not begin a new database by itself', async ({
  profile,
  server,
}) => {
  const context = await profile.launch();
  const page = await open(context, server.writerUrl);
  await page.query('INSERT INTO events VALUES (1)');
  const session = await context.newCDPSession(page.page);
  const { origin } = new URL(server.writerUrl);
  await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' });
  await expect.poll(() => page.failure(COUNT)).toMatchObject({ code: 'database_closed' });
  await page.load(NAME);
  expect(await page.query(COUNT)).toEqual([[0]]);
  await context.close();
});

test('a page goes on after a visit elsewhere', async ({ profile, server }) => {
  // Playwright switches the back/forward cache off, because it loses sight of pages that come back from it.
  const context = await profile.launch({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
  const [page, other] = [await open(context, server.writerUrl), await open(context, server.writerUrl)];
  await page.query('INSERT INTO events VALUES (1)');
  const raw = await RawPage.attach(page.page);
  await raw.visits(() => raw.evaluate(`location.href = '${server.emptyUrl}'`));
  await other.query('INSERT INTO events VALUES (2)');
  // Whether it is the same page as before is the browser's to decide.
  log(`came back by ${await raw.visits(() => raw.evaluate('history.back()'))}`);
  await raw.evaluate(`globalThis.writer?.isOpen() ? undefined : ${WAIT_FOR_WRITER}.then(() => writer.open('${NAME}'))`);
  await raw.evaluate("writer.query('INSERT INTO events SELECT 100 + count(*) FROM events')");
  await expect.poll(() => other.query('SELECT op FROM events ORDER BY op')).toEqual([[1], [2], [102]]);
  await context.close();
});
