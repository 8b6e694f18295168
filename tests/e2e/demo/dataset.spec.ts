import type { ConsolePage } from '../support/console-page.js';
import { expect, test } from '../support/fixtures.js';

const ROWS = 200_000;

async function one(demo: ConsolePage, sql: string): Promise<string[]> {
  await demo.execute(sql);
  await expect(demo.panels.getByRole('cell').first()).toBeVisible();
  return demo.panels.getByRole('cell').allInnerTexts();
}

async function load(demo: ConsolePage): Promise<void> {
  await demo.page.getByRole('button', { name: 'Load flights' }).click();
  await expect(demo.page.locator('.dataset-note')).toHaveText(/^200,000 rows stored in .*rows\/s$/, {
    timeout: 90_000,
  });
}

test('200,000 flights are loaded, queried, changed, and still there after a reload', async ({ openDemo }) => {
  const demo = await openDemo();
  await load(demo);
  const facts = 'SELECT count(*), min(id), max(id), min(delay), max(delay), min(distance), max(distance) FROM flights';
  const expected = [String(ROWS), '1', String(ROWS), '-86', '1444', '30', '4962'];
  expect(await one(demo, facts)).toEqual(expected);
  await expect(demo.page.locator('[data-table="default.flights"] .table-count')).toHaveText('200,000');

  await demo.reload();
  expect(await one(demo, facts)).toEqual(expected);

  await demo.page.getByRole('button', { name: 'Delay by hour of departure' }).click();
  await demo.finished();
  await expect(demo.panels).toContainText('24 rows');
  expect((await demo.rows(demo.panels))[0]?.slice(0, 2)).toEqual(['0', '697']);

  await demo.execute('DELETE FROM flights WHERE id IN (SELECT id FROM flights WHERE delay > 1000)');
  const deleted = await one(demo, 'SELECT count(*) FROM flights WHERE _deleted = true');
  const left = await one(demo, 'SELECT count(*), max(delay) FROM flights');
  expect(Number(deleted[0])).toBeGreaterThan(0);
  expect(Number(left[0]) + Number(deleted[0])).toBe(ROWS);
  expect(Number(left[1])).toBeLessThanOrEqual(1000);

  await demo.page.getByRole('button', { name: 'Load flights' }).click();
  const dialog = demo.page.getByRole('dialog');
  await expect(dialog).toContainText(`${Number(left[0]).toLocaleString('en')} rows`);
  await dialog.getByRole('button', { name: 'Keep it' }).click();
  expect(await one(demo, 'SELECT count(*) FROM flights')).toEqual([left[0]]);
});

test('a result of 200,000 rows is scrolled to its end with few rows in the document', async ({ openDemo }) => {
  const demo = await openDemo();
  await load(demo);
  await demo.execute('SELECT id, delay, distance FROM flights ORDER BY id');
  const grid = demo.panels.getByRole('table');
  await expect(demo.panels).toContainText('200,000 rows');
  await expect(grid).toHaveAttribute('aria-rowcount', String(ROWS + 1));
  await grid.focus();
  await demo.page.keyboard.press('End');
  await expect(grid.getByRole('cell', { name: String(ROWS), exact: true })).toBeVisible();
  expect(await grid.getByRole('row').count()).toBeLessThan(100);
  await demo.page.keyboard.press('Home');
  await expect(grid.locator('[aria-rowindex="2"]').getByRole('cell').first()).toHaveText('1');
});

test('every example for the flights works, and one that writes is not run by a click', async ({ openDemo }) => {
  const demo = await openDemo();
  await load(demo);
  const examples = demo.page.locator('.example');
  for (const [index, expected] of [
    'SELECT24 rows',
    'SELECT10 rows',
    'SELECT10 rows',
    'SELECT200,000 rows',
    'UPDATE138 rows affected',
    'DELETE11 rows affected',
    'SELECT11 rows',
  ].entries()) {
    const example = examples.nth(index);
    const writes = (await example.locator('.tag').count()) === 1;
    expect(writes).toBe(expected.endsWith('affected'));
    // The heads say which run a panel is of, by its times; rows are drawn a frame later.
    const heads = demo.panels.locator('.panel-head');
    const before = await heads.allTextContents();
    await example.click();
    if (writes) {
      expect(await heads.allTextContents()).toEqual(before);
      await demo.run();
    }
    await expect(demo.panels).toContainText(expected);
  }
});
