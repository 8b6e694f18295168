import type { ConsolePage } from '../support/console-page.js';
import { expect, test } from '../support/fixtures.js';

/** Lightness of the page's background, 0 to 255. */
function background(demo: ConsolePage): Promise<number> {
  return demo.page.evaluate(() => {
    const channels = getComputedStyle(document.body).backgroundColor.match(/\d+/g)?.map(Number) ?? [];
    return Math.max(...channels.slice(0, 3));
  });
}

test('a phone 360 pixels wide scrolls down and never sideways', async ({ openDemo }) => {
  const demo = await openDemo({ viewport: { width: 360, height: 740 }, hasTouch: true });
  const overflow = (): Promise<number> => demo.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(await overflow()).toBeLessThanOrEqual(0);
  await demo.execute(`
    CREATE TABLE wide (id INT PRIMARY KEY, a_column_with_a_rather_long_name TEXT, another_column_with_a_long_name TEXT);
    INSERT INTO wide VALUES (1, '${'long '.repeat(60)}', '${'x'.repeat(300)}');
    SELECT * FROM wide;
    SELECT a_name_that_nobody_has_given_to_any_column_of_this_table_or_of_any_other FROM wide;
  `);
  await expect(demo.panels).toHaveCount(4);
  await expect(demo.panels.nth(3)).toContainText('undefined_column');
  expect(await overflow()).toBeLessThanOrEqual(0);
  await demo.show('Tables');
  await expect(demo.editor).toBeHidden();
  await demo.page.getByRole('button', { name: 'Columns of wide' }).click();
  expect(await overflow()).toBeLessThanOrEqual(0);
  await demo.show('History');
  expect(await overflow()).toBeLessThanOrEqual(0);
  await demo.page.locator('.history-entry').first().click();
  await expect(demo.editor).toBeVisible();
});

test('the theme follows the system until another is chosen, which is remembered', async ({ openDemo }) => {
  const demo = await openDemo({ colorScheme: 'dark' });
  expect(await background(demo)).toBeLessThan(60);
  await demo.page.getByRole('button', { name: 'Switch to the light theme' }).click();
  expect(await background(demo)).toBeGreaterThan(200);
  await demo.reload();
  expect(await background(demo)).toBeGreaterThan(200);
  await demo.page.getByRole('button', { name: 'Switch to the dark theme' }).click();
  expect(await background(demo)).toBeLessThan(60);
  await demo.page.emulateMedia({ colorScheme: 'light' });
  expect(await background(demo)).toBeGreaterThan(200);
});

test('the keyboard leaves the editor and reaches what is behind it', async ({ openDemo }) => {
  const demo = await openDemo();
  await expect(demo.editor).toBeFocused();
  await demo.page.keyboard.press('Tab');
  await expect(demo.page.getByRole('button', { name: 'Run' })).toBeFocused();
  await demo.page.keyboard.press('Tab');
  await expect(demo.page.getByRole('textbox', { name: 'Run as user' })).toBeFocused();
});
