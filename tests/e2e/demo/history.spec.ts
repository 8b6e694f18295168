import { expect, test } from '../support/fixtures.js';

test('statements are kept over reloads and reused with the mouse and the keyboard', async ({ openDemo }) => {
  const demo = await openDemo();
  await demo.execute('SELECT 1 AS first');
  await demo.execute('SELECT 2 AS second');
  await demo.execute('SELECT broken FROM nowhere');
  await demo.reload();

  await demo.show('History');
  const entries = demo.page.locator('.history-entry');
  await expect(entries.locator('code')).toHaveText([
    'SELECT broken FROM nowhere',
    'SELECT 2 AS second',
    'SELECT 1 AS first',
  ]);
  await expect(entries.nth(0)).toContainText('failed');
  await entries.nth(2).click();
  await expect(demo.editor).toHaveText('SELECT 1 AS first');
  await demo.run();
  await expect(demo.panels.getByRole('cell')).toHaveText(['1']);
  await expect(entries.locator('code')).toHaveText([
    'SELECT 1 AS first',
    'SELECT broken FROM nowhere',
    'SELECT 2 AS second',
  ]);

  await demo.type('a draft');
  await demo.page.keyboard.press('Alt+ArrowUp');
  await expect(demo.editor).toHaveText('SELECT 1 AS first');
  await demo.page.keyboard.press('Alt+ArrowUp');
  await expect(demo.editor).toHaveText('SELECT broken FROM nowhere');
  await demo.page.keyboard.press('Alt+ArrowDown');
  await demo.page.keyboard.press('Alt+ArrowDown');
  await expect(demo.editor).toHaveText('a draft');
});
