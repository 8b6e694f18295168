/** The panel of a result. */
import type { Result } from 'kalamdb';
import { el } from '../ui/dom';
import { formatMs, plural } from '../ui/format-number';
import { type Grid, toCsv, toJson } from './export-text';
import { resultsTable } from './results-table';

/** One result with its statement and its time on the clock, in milliseconds. */
export interface Outcome {
  readonly statement: string;
  readonly result: Result<unknown[]>;
  /** As whom it ran; empty for the application. */
  readonly userId: string;
  readonly clientMs: number;
}

/** The panel of one statement that succeeded. */
export function resultPanel({ statement, result, userId, clientMs }: Outcome): HTMLElement {
  const hasRows = result.fields.length > 0;
  const user = result.asUser ?? userId;
  return el(
    'article',
    { class: 'panel', 'aria-label': `${result.command} result` },
    el(
      'header',
      { class: 'panel-head' },
      el('span', { class: 'command' }, result.command),
      el('span', { class: 'row-count' }, rowCount(result)),
      user !== '' && el('span', { class: 'row-count' }, `as ${user}`),
      el(
        'span',
        { class: 'time', title: 'Time in the engine, and from the call to the answer as this page saw it' },
        `${formatMs(result.tookMs)} engine, ${formatMs(clientMs)} total`,
      ),
      hasRows && result.rows.length > 0 && copyButtons({ fields: result.fields, rows: result.rows }),
    ),
    el('code', { class: 'statement', title: statement }, oneLine(statement)),
    hasRows ? resultsTable({ fields: result.fields, rows: result.rows }) : null,
    hasRows && result.rows.length === 0 ? el('p', { class: 'no-rows' }, 'No rows') : null,
  );
}

function rowCount(result: Result<unknown[]>): string {
  if (result.affectedRows !== undefined) return `${plural(result.affectedRows, 'row')} affected`;
  return result.fields.length > 0 ? plural(result.rowCount, 'row') : 'Done';
}

function oneLine(statement: string): string {
  return statement.replace(/\s+/g, ' ').trim();
}

function copyButtons(grid: Grid): HTMLElement {
  return el(
    'span',
    { class: 'copy' },
    'Copy',
    copyButton('CSV', () => toCsv(grid)),
    copyButton('JSON', () => toJson(grid)),
  );
}

function copyButton(format: string, text: () => string): HTMLElement {
  const button = el('button', { type: 'button', class: 'button quiet small', 'aria-label': `Copy ${format}` }, format);
  button.addEventListener('click', () => {
    navigator.clipboard.writeText(text()).then(
      () => flash(button, 'Copied', format),
      () => flash(button, 'Not allowed', format),
    );
  });
  return button;
}

function flash(button: HTMLElement, text: string, label: string): void {
  button.textContent = text;
  setTimeout(() => {
    button.textContent = label;
  }, 1500);
}
