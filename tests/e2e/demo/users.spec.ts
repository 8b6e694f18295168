import { expect, test } from '../support/fixtures.js';

test('statements run as a user, who has rows of their own', async ({ openDemo }) => {
  const demo = await openDemo();
  const user = demo.page.getByRole('textbox', { name: 'Run as user' });
  await demo.execute('CREATE USER TABLE notes (id INT PRIMARY KEY, body TEXT)');
  for (const [id, body] of [
    ['ann', 'of ann'],
    ['bob', 'of bob'],
  ] as const) {
    await user.fill(id);
    await demo.execute(`INSERT INTO notes VALUES (1, '${body}')`);
  }
  for (const id of ['ann', 'bob']) {
    await user.fill(id);
    await demo.execute('SELECT id, body, current_user() AS me FROM notes');
    expect(await demo.rows(demo.panels)).toEqual([['1', `of ${id}`, id]]);
    await expect(demo.panels).toContainText(`as ${id}`);
  }
  await demo.execute('DROP TABLE notes');
  await expect(demo.panels.first()).toContainText('insufficient_privilege');
  await user.fill('');
  await demo.execute('SELECT count(*) FROM notes');
  expect(await demo.rows(demo.panels)).toEqual([['0']]);
});
