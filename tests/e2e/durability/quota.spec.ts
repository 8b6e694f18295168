import type { BrowserContext, CDPSession, Page } from '@playwright/test';
import { expect, test } from '../support/fixtures.js';
import { log } from '../support/log.js';
import { WriterPage } from '../support/writer-page.js';

const NAME = 'full';
const MIB = 1024 * 1024;
/** Rows of one INSERT: about 100 KB. */
const ROWS = 1000;

const insert = (table: string, part: number): string =>
  `INSERT INTO ${table} SELECT v, md5(v::text) || md5('a' || v) || md5('b' || v) FROM generate_series(${part * ROWS}, ${part * ROWS + ROWS - 1}) AS g(v)`;

/** A page in a browser whose quota for the page's origin is the browser's own, but small. */
class SmallQuota {
  readonly page: WriterPage;
  readonly #session: CDPSession;
  readonly #origin: string;

  private constructor(page: WriterPage, session: CDPSession, origin: string) {
    this.page = page;
    this.#session = session;
    this.#origin = origin;
  }

  /** The browser goes on with the quota that it has read first for half a minute, so it is set before anything is stored. */
  static async open(context: BrowserContext, url: string, quotaBytes: number): Promise<SmallQuota> {
    const blank: Page = await context.newPage();
    const session = await context.newCDPSession(blank);
    const { origin } = new URL(url);
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: quotaBytes });
    return new SmallQuota(await WriterPage.open(context, url, NAME, 1), session, origin);
  }

  async usage(): Promise<number> {
    return (await this.#session.send('Storage.getUsageAndQuota', { origin: this.#origin })).usage;
  }

  /** Inserts until there is no room; returns how many rows were acknowledged. */
  async fill(table: string, from = 0): Promise<number> {
    for (let part = from; ; part += 1) {
      const failure = await this.page.failure(insert(table, part));
      if (failure === null) continue;
      expect(failure.code).toBe('disk_full');
      log(`${table}: full at ${(part - from) * ROWS} rows, ${await this.usage()} bytes`);
      return (part - from) * ROWS;
    }
  }

  count(table: string): Promise<unknown[][]> {
    return this.page.query(`SELECT count(*), coalesce(max(id), -1) FROM ${table}`);
  }
}

test('a full quota refuses rows, keeps all that there are, and lets rows be deleted', async ({ profile, server }) => {
  let context = await profile.launch();
  let full = await SmallQuota.open(context, server.writerUrl, 32 * MIB);
  await full.page.query('CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)');
  // The reserve is made in the background once enough is stored.
  for (let part = 0; part < 100; part += 1) await full.page.query(insert('t', part));
  await expect.poll(() => full.page.reserveBytes(NAME)).toBeGreaterThan(0);
  const n = 100 * ROWS + (await full.fill('t', 100));

  // What was refused is not there, what was acknowledged is.
  const rows = [[n, n - 1]];
  expect(await full.count('t')).toEqual(rows);
  expect(await full.page.failure("UPDATE t SET a = a || '!'")).toMatchObject({ code: 'disk_full' });
  expect(await full.page.failure(insert('t', n / ROWS))).toMatchObject({ code: 'disk_full' });
  expect(await full.count('t')).toEqual(rows);
  await context.close();

  context = await profile.launch();
  full = await SmallQuota.open(context, server.writerUrl, 32 * MIB);
  expect(await full.count('t')).toEqual(rows);
  const sample = "SELECT count(*) FROM t WHERE a = md5(id::text) || md5('a' || id) || md5('b' || id)";
  expect(await full.page.query(sample)).toEqual([[n]]);
  await full.fill('t', n / ROWS);

  // Rows can be deleted, and a table truncated, which gives its space back.
  const left = Number((await full.count('t'))[0]?.[0]);
  await full.page.query('DELETE FROM t WHERE id < 500');
  expect(await full.count('t')).toEqual([[left - 500, left - 1]]);
  await full.page.query('TRUNCATE TABLE t');
  expect(await full.count('t')).toEqual([[0, -1]]);
  await full.page.query(insert('t', 0));
  expect(await full.count('t')).toEqual([[ROWS, ROWS - 1]]);
  await context.close();
});

test('events make room before anything is refused', async ({ profile, server }) => {
  const context = await profile.launch();
  const full = await SmallQuota.open(context, server.writerUrl, 32 * MIB);
  await full.page.query('CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)');
  await full.page.query('CREATE STREAM TABLE s (id INTEGER, a TEXT) WITH (TTL_SECONDS = 1000000)');
  const EVENTS = 100;
  for (let part = 0; part < EVENTS; part += 1) await full.page.query(insert('s', part));
  await expect.poll(() => full.page.reserveBytes(NAME)).toBeGreaterThan(0);
  const n = await full.fill('t');
  expect(await full.count('t')).toEqual([[n, n - 1]]);
  expect(await full.count('s')).toEqual([[0, -1]]);
  expect(await full.page.query("SELECT count(*) > 0 FROM system.jobs WHERE job_type = 'evict'")).toEqual([[true]]);
  await full.page.query('DROP TABLE t');
  await full.page.query(insert('s', 0));
  expect(await full.count('s')).toEqual([[ROWS, ROWS - 1]]);
  await context.close();
});
