import { expect, test } from '../support/fixtures.js';

test('an error shows its code and its place, and stops the run', async ({ openDemo }) => {
  const demo = await openDemo();
  await demo.execute("SELECT 'caf\u00e9' AS ok;\nSELECT id\n  FORM nowhere;\nSELECT 3 AS never;");
  await expect(demo.panels).toHaveCount(2);
  await expect(demo.panels.nth(0).getByRole('cell')).toHaveText(['caf\u00e9']);
  const error = demo.panels.nth(1);
  await expect(error).toContainText('syntax_error');
  await expect(error).toContainText('SQLSTATE 42601');
  const source = ((await error.locator('.source').textContent()) ?? '').split('\n');
  expect(source[0]).toBe('3 \u2502   FORM nowhere;');
  // FORM passes for the name of a column, so the parser stumbles over the next word.
  expect((source[1] ?? '').indexOf('^')).toBe((source[0] ?? '').indexOf('nowhere'));
  await expect(demo.page.locator('.cm-lintRange-error')).toHaveText('nowhere');
  await expect(demo.page.locator('.not-run')).toHaveText('1 statement after it did not run.');
});

test('a table that does not exist is named', async ({ openDemo }) => {
  const demo = await openDemo();
  await demo.execute('CREATE TABLE customers (id INT PRIMARY KEY)');
  await demo.execute('SELECT * FROM customer');
  await expect(demo.panels).toContainText('undefined_table');
  await expect(demo.panels).toContainText('SQLSTATE 42P01');
  await expect(demo.panels).toContainText('customers');
});

test('a failed statement leaves nothing behind', async ({ openDemo }) => {
  const demo = await openDemo();
  await demo.execute('CREATE TABLE once (id INT PRIMARY KEY); INSERT INTO once VALUES (1)');
  await demo.execute('INSERT INTO once VALUES (2), (1)');
  await expect(demo.panels).toContainText('unique_violation');
  await demo.execute('SELECT id FROM once');
  await expect(demo.panels.getByRole('cell')).toHaveText(['1']);
});
