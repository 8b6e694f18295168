import { expect, test } from 'vitest';
import { State } from '../src/app/state';

const state = (): State =>
  new State({
    connection: { type: 'opening' },
    catalog: { type: 'unread' },
    isRunning: false,
    history: [],
    draft: '',
    theme: '',
    view: 'console',
  });

test('who watches a value hears of its changes alone, at once and in order', () => {
  const page = state();
  const heard: string[] = [];
  page.watch('draft', (draft) => heard.push(`first ${draft}`));
  page.watch('draft', (draft) => heard.push(`second ${draft}`));
  page.set('theme', 'dark');
  expect(heard).toEqual([]);
  page.set('draft', 'SELECT 1');
  expect(heard).toEqual(['first SELECT 1', 'second SELECT 1']);
  expect([page.get('draft'), page.get('theme'), page.get('view')]).toEqual(['SELECT 1', 'dark', 'console']);
});

test('who shows a value gets it as it is first', () => {
  const page = state();
  page.set('view', 'tables');
  const shown: string[] = [];
  page.show('view', (view) => shown.push(view));
  page.set('view', 'history');
  expect(shown).toEqual(['tables', 'history']);
});

test('who is told reads the other values as they are then', () => {
  const page = state();
  const seen: boolean[] = [];
  page.watch('connection', () => seen.push(page.get('isRunning')));
  page.set('isRunning', true);
  page.set('connection', { type: 'failed', error: null });
  expect(seen).toEqual([true]);
});
