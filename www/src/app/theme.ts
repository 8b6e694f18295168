/** The button that chooses between the light and the dark theme. */
import type { State, ThemeChoice } from './state';

type Theme = Exclude<ThemeChoice, ''>;

const SUN =
  '<svg viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="3.4"/><path d="M10 2.4v1.8M10 15.8v1.8M2.4 10h1.8M15.8 10h1.8M4.6 4.6l1.3 1.3M14.1 14.1l1.3 1.3M15.4 4.6l-1.3 1.3M5.9 14.1l-1.3 1.3"/></svg>';
const MOON =
  '<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M16.4 12.1A6.9 6.9 0 0 1 7.9 3.6a6.9 6.9 0 1 0 8.5 8.5Z"/></svg>';

/**
 * Wires the button. Without a choice the page follows the system; a choice is kept
 * and, once it equals the system's, forgotten, so the page follows again.
 */
export function setUpTheme(button: HTMLButtonElement, state: State): void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const systemTheme = (): Theme => (system.matches ? 'dark' : 'light');
  const current = (): Theme => state.get('theme') || systemTheme();

  const show = (): void => {
    const theme = current();
    if (state.get('theme') === '') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.innerHTML = theme === 'dark' ? SUN : MOON;
    const label = `Switch to the ${opposite(theme)} theme`;
    button.setAttribute('aria-label', label);
    button.title = label;
  };
  button.addEventListener('click', () => {
    const next = opposite(current());
    state.set('theme', next === systemTheme() ? '' : next);
  });
  system.addEventListener('change', show);
  state.show('theme', show);
}

function opposite(theme: Theme): Theme {
  return theme === 'dark' ? 'light' : 'dark';
}
