/** The view buttons: which part of the page is in front. */
import { element } from '../ui/dom';
import type { State, View } from './state';

const VIEWS: readonly View[] = ['console', 'tables', 'history'];
const wide = matchMedia('(min-width: 60rem)');

/** Brings a part to the front. Beside the console there is always a list on a wide screen: it stays as it is. */
export function bringToFront(state: State, view: View): void {
  if (view !== 'console' || !wide.matches) state.set('view', view);
}

/** Wires the buttons; the style sheet decides by `data-view` what is visible. */
export function setUpViews(state: State): void {
  const buttons = VIEWS.map((view) => ({ view, button: element(`show-${view}`, HTMLButtonElement) }));
  const mark = (): void => {
    const front = state.get('view');
    const current = front === 'console' && wide.matches ? 'tables' : front;
    for (const { view, button } of buttons) button.setAttribute('aria-pressed', String(view === current));
  };
  for (const { view, button } of buttons) button.addEventListener('click', () => bringToFront(state, view));
  wide.addEventListener('change', mark);
  state.show('view', (view) => {
    document.body.dataset.view = view;
    mark();
  });
}
