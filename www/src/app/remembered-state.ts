/** Keeps what of the state outlives a visit: the draft, the history and the theme. */
import { isHistory } from '../history/history-entries';
import { recall, remember } from './local-store';
import { State, type ThemeChoice } from './state';

/** The state as a visit begins. */
export function recallState(): State {
  const state = new State({
    connection: { type: 'opening' },
    catalog: { type: 'unread' },
    isRunning: false,
    history: recall('history', [], isHistory),
    draft: recall('draft', '', isString),
    theme: recall('theme', '', isThemeChoice),
    view: 'console',
  });
  for (const key of ['history', 'draft', 'theme'] as const) state.watch(key, (value) => remember(key, value));
  return state;
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isThemeChoice(value: unknown): value is ThemeChoice {
  return value === '' || value === 'light' || value === 'dark';
}
