/** The parts of the page that a narrow screen shows one at a time; a wide one shows the console always. */
export type View = 'console' | 'tables' | 'history';

export interface Views {
  /** Brings a part to the front. */
  readonly show: (view: View) => void;
}

/** Wires the view buttons; the style sheet decides by `data-view` what is visible. */
export function setUpViews(): Views {
  const buttons = [...document.querySelectorAll<HTMLElement>('[data-show]')];
  const wide = matchMedia('(min-width: 60rem)');

  const show = (view: View): void => {
    // Beside the console there is always a list on a wide screen: it stays as it is.
    if (view === 'console' && wide.matches) return;
    document.body.dataset.view = view;
    mark();
  };
  const mark = (): void => {
    const view = document.body.dataset.view;
    const current = view === 'console' && wide.matches ? 'tables' : view;
    for (const button of buttons) button.setAttribute('aria-pressed', String(button.dataset.show === current));
  };
  for (const button of buttons) {
    button.addEventListener('click', () => show(button.dataset.show as View));
  }
  wide.addEventListener('change', mark);
  mark();
  return { show };
}
