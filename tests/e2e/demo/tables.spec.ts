import { ConsolePage } from '../support/console-page.js';
import { expect, test } from '../support/fixtures.js';

test('tables and views of every namespace are listed, whatever their names and the current namespace', async ({
  openDemo,
}) => {
  const demo = await openDemo();
  await expect(demo.page.getByText('No tables yet.')).toBeVisible();
  await demo.execute(`
    CREATE TABLE pets (id BIGINT PRIMARY KEY, name VARCHAR(20) NOT NULL);
    INSERT INTO pets VALUES (1, 'Rex'), (2, 'Mia');
    CREATE VIEW names AS SELECT name, id + 1 AS next FROM pets WHERE id > 1;
    CREATE USER TABLE notes (id INT PRIMARY KEY);
    INSERT INTO notes VALUES (1);
    EXECUTE AS USER 'ann' (INSERT INTO notes VALUES (1), (2));
    CREATE NAMESPACE "My App";
    CREATE TABLE "My App"."the ""select""" ("a b" UUID);
    USE "My App";
  `);
  const tables = demo.page.locator('[data-table]');
  await expect(tables.locator('.table-label')).toHaveText(['the "select"', 'names', 'notes', 'pets']);
  // Of a user table the rows that the application itself sees.
  await expect(tables.locator('.table-count')).toHaveText(['0', '1', '1', '2']);
  await expect(demo.page.locator('.namespace h3')).toHaveText(['My App', 'default']);

  for (const name of ['names', 'the "select"']) {
    await demo.page.getByRole('button', { name: `Columns of ${name}` }).click();
  }
  const columns = demo.page.locator('.column-list:visible li');
  await expect(columns).toHaveText(['a bUUID', 'nameVARCHAR(20)not null', 'nextBIGINTnot null']);
  await demo.page.getByRole('button', { name: 'the "select" 0' }).click();
  await demo.finished();
  await expect(demo.panels).toContainText('No rows');
});

test('coming back to the tab shows what another one has changed', async ({ openDemo }) => {
  const demo = await openDemo();
  await demo.execute('CREATE TABLE old (id INT PRIMARY KEY); CREATE TABLE kept (id INT PRIMARY KEY)');
  const labels = demo.page.locator('.table-label');
  await expect(labels).toHaveText(['kept', 'old']);
  const other = await ConsolePage.open(await demo.page.context().newPage(), demo.page.url());
  await other.execute('DROP TABLE old; CREATE TABLE new (id INT PRIMARY KEY); INSERT INTO kept VALUES (1), (2)');
  await expect(other.panels).toHaveCount(3);
  await demo.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await expect(labels).toHaveText(['kept', 'new']);
  await expect(demo.page.locator('.table-count')).toHaveText(['2', '0']);
});
