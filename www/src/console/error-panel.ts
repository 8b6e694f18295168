/** The panel of a failure. */
import { el } from '../ui/dom';
import type { ErrorText } from '../ui/error-text';
import { sourceLine } from './source-line';

/** Where an error is in the editor's text. */
export interface ErrorPlace {
  readonly script: string;
  /** Offset into `script` in UTF-16 units. */
  readonly position: number;
  readonly goTo: () => void;
}

/** The panel of a failure: what, by which code, where, and what to do. */
export function errorPanel(
  error: ErrorText,
  place: ErrorPlace | null,
  ...actions: readonly HTMLElement[]
): HTMLElement {
  return el(
    'article',
    { class: 'panel error', role: 'alert', 'aria-label': 'Error' },
    el(
      'header',
      { class: 'panel-head' },
      el('span', { class: 'command' }, 'Error'),
      el('code', { class: 'error-code' }, error.code),
      error.sqlState === null ? null : el('span', { class: 'sqlstate' }, `SQLSTATE ${error.sqlState}`),
    ),
    el('p', { class: 'error-message' }, error.message),
    place === null ? null : sourceBlock(place),
    error.detail === null ? null : el('p', { class: 'error-note' }, error.detail),
    error.hint === null ? null : el('p', { class: 'error-note hint' }, el('strong', {}, 'Hint: '), error.hint),
    actions.length > 0 ? el('div', { class: 'panel-actions' }, ...actions) : null,
  );
}

function sourceBlock(place: ErrorPlace): HTMLElement {
  const line = sourceLine(place.script, place.position);
  const number = String(line.number);
  const block = el(
    'pre',
    { class: 'source' },
    el('span', { class: 'source-number' }, `${number} \u2502 `),
    `${line.text}\n`,
    el('span', { class: 'source-number' }, `${' '.repeat(number.length)} \u2502 `),
    ' '.repeat(line.caret),
    el('span', { class: 'caret' }, '^'),
  );
  return el(
    'button',
    { type: 'button', class: 'source-button', title: 'Show in the editor', onclick: place.goTo },
    block,
  );
}
