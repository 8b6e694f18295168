import { expect, test } from '../support/fixtures.js';

test('typed statements run in order, each with its own result', async ({ openDemo }) => {
  const demo = await openDemo();
  await demo.execute(`
    CREATE TABLE pets (id BIGINT PRIMARY KEY, name TEXT NOT NULL, weight DOUBLE, born DATE);
    INSERT INTO pets VALUES (1, 'Rex; the dog', 21.5, '2020-02-29'), (2, 'Mia', NULL, NULL);
    SELECT id, name, weight, born FROM pets ORDER BY id;
  `);
  await expect(demo.panels).toHaveCount(3);
  await expect(demo.panels.nth(0)).toContainText('CREATE TABLE');
  await expect(demo.panels.nth(1)).toContainText('2 rows affected');
  const result = demo.panels.nth(2);
  await expect(result.getByRole('columnheader')).toHaveText([
    '',
    'idBIGINT',
    /^nameTEXT$/,
    /^weightDOUBLE/,
    'bornDATE',
  ]);
  await expect(result.getByRole('cell')).toHaveText([
    '1',
    'Rex; the dog',
    '21.5',
    '2020-02-29',
    '2',
    'Mia',
    'NULL',
    'NULL',
  ]);
  await expect(result.locator('.cell.null')).toHaveCount(2);
  await expect(result.getByText(/engine, .* total/)).toBeVisible();

  const table = demo.page.locator('[data-table="default.pets"]');
  await expect(table.locator('.table-count')).toHaveText('2');
  await table.getByRole('button', { name: 'Columns of pets' }).click();
  await expect(table.locator('.column-name')).toHaveText(['id', 'name', 'weight', 'born']);
  await expect(table.locator('.column-type')).toHaveText(['BIGINTkey', 'TEXTnot null', /^DOUBLE/, 'DATE']);
});

test('what was written is there after a reload', async ({ openDemo }) => {
  const demo = await openDemo();
  await demo.execute("CREATE TABLE kept (id INT PRIMARY KEY, note TEXT); INSERT INTO kept VALUES (7, 'still here')");
  await demo.reload();
  await demo.page.locator('[data-table="default.kept"] .table-name').click();
  await demo.finished();
  await expect(demo.panels.getByRole('cell')).toHaveText(['7', 'still here']);
  await expect(demo.editor).toHaveText('SELECT * FROM kept LIMIT 100');
});

test('only the selection runs', async ({ openDemo }) => {
  const demo = await openDemo();
  await demo.type('SELECT 1 AS one;\nSELECT 2 AS two;');
  await demo.page.keyboard.press('Shift+Home');
  await demo.run();
  await expect(demo.panels).toHaveCount(1);
  await expect(demo.panels.getByRole('cell')).toHaveText(['2']);
});

test('the first steps lead from an empty database to rows', async ({ openDemo }) => {
  const demo = await openDemo();
  await demo.page.getByRole('button', { name: 'Create a table' }).click();
  await demo.page.getByRole('button', { name: 'Next: insert a few rows' }).click();
  await demo.page.getByRole('button', { name: 'Next: read them back' }).click();
  await expect(demo.panels).toContainText('3 rows');
  expect((await demo.rows(demo.panels)).map((row) => row.slice(0, 3))).toEqual([
    ['1', 'Everything here stays in this browser', '5'],
    ['2', 'Reload the page: the rows are still there', '4'],
    ['3', 'Nobody has rated this one', 'NULL'],
  ]);
});

test('a reset deletes everything, after a question', async ({ openDemo }) => {
  const demo = await openDemo();
  await demo.execute('CREATE TABLE gone (id INT PRIMARY KEY)');
  await expect(demo.page.locator('[data-table="default.gone"]')).toBeVisible();
  const dialog = demo.page.getByRole('dialog');

  await demo.page.getByRole('button', { name: 'Reset database' }).click();
  await dialog.getByRole('button', { name: 'Keep it' }).click();
  await expect(demo.page.locator('[data-table="default.gone"]')).toBeVisible();

  await demo.page.getByRole('button', { name: 'Reset database' }).click();
  await dialog.getByRole('button', { name: 'Delete everything' }).click();
  await expect(demo.page.getByText('No tables yet.')).toBeVisible();
  await demo.ready();
  await demo.execute('SELECT * FROM gone');
  await expect(demo.panels).toContainText('undefined_table');
});

test('results are copied as CSV and JSON', async ({ openDemo }) => {
  const demo = await openDemo({ permissions: ['clipboard-read', 'clipboard-write'] });
  await demo.execute(`SELECT 1 AS id, 'say "hi", twice' AS note, NULL AS missing`);
  const clipboard = (): Promise<string> => demo.page.evaluate(() => navigator.clipboard.readText());
  await demo.panels.getByRole('button', { name: 'Copy CSV' }).click();
  await expect.poll(clipboard).toBe('id,note,missing\r\n1,"say ""hi"", twice",\r\n');
  await demo.panels.getByRole('button', { name: 'Copy JSON' }).click();
  await expect
    .poll(async () => JSON.parse(await clipboard()))
    .toEqual([{ id: 1, note: 'say "hi", twice', missing: null }]);
});
