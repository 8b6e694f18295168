import { isString, recall, remember } from './local-store';

type Theme = 'light' | 'dark';

const SUN =
  '<svg viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="3.4"/><path d="M10 2.4v1.8M10 15.8v1.8M2.4 10h1.8M15.8 10h1.8M4.6 4.6l1.3 1.3M14.1 14.1l1.3 1.3M15.4 4.6l-1.3 1.3M5.9 14.1l-1.3 1.3"/></svg>';
const MOON =
  '<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M16.4 12.1A6.9 6.9 0 0 1 7.9 3.6a6.9 6.9 0 1 0 8.5 8.5Z"/></svg>';

/**
 * Wires the theme button. Without a choice the page follows the system; a choice is
 * remembered and, once it equals the system's, forgotten, so the page follows again.
 */
export function setUpTheme(button: HTMLElement): void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const systemTheme = (): Theme => (system.matches ? 'dark' : 'light');
  let chosen = recall('theme', '', isString);

  const show = (): void => {
    const current = chosen === 'light' || chosen === 'dark' ? chosen : systemTheme();
    if (chosen === '') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = current;
    button.innerHTML = current === 'dark' ? SUN : MOON;
    const label = `Switch to the ${current === 'dark' ? 'light' : 'dark'} theme`;
    button.setAttribute('aria-label', label);
    button.title = label;
    button.onclick = (): void => {
      const next: Theme = current === 'dark' ? 'light' : 'dark';
      chosen = next === systemTheme() ? '' : next;
      remember('theme', chosen);
      show();
    };
  };
  system.addEventListener('change', show);
  show();
}
