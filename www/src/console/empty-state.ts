/** What the results area says before there are results. */

import { el } from '../ui/dom';
import { FIRST_STEPS, type Step } from './first-steps';

/** What the results area says about an empty database before anything was run. `useStep` gets the number of a first step. */
export function emptyState(useStep: (index: number) => void): HTMLElement {
  const step = (example: Step, index: number): HTMLElement =>
    el(
      'li',
      {},
      el(
        'button',
        { type: 'button', class: 'step', onclick: () => useStep(index) },
        el('span', { class: 'step-number', 'aria-hidden': 'true' }, String(index + 1)),
        el('span', { class: 'step-title' }, example.title),
        el('code', {}, firstLine(example.sql)),
      ),
    );
  return el(
    'section',
    { class: 'empty', 'aria-labelledby': 'empty-title' },
    el('h2', { id: 'empty-title' }, 'A database inside this page'),
    el(
      'p',
      {},
      'There is no server: statements run in a worker of this tab, and rows are kept in IndexedDB, where a reload or a crash does not lose them. Three statements to begin with:',
    ),
    el('ol', { class: 'steps' }, ...FIRST_STEPS.map(step)),
  );
}

/** What it says when there are tables already. */
export function idleState(): HTMLElement {
  return el(
    'p',
    { class: 'idle' },
    'Results appear here. Click a table to look into it, or write a statement and run it.',
  );
}

/** Offers the first step after the one that was just done; `null` after the last. */
export function nextStep(index: number, useStep: (index: number) => void): HTMLElement | null {
  const example = FIRST_STEPS[index];
  if (example === undefined) return null;
  return el(
    'p',
    { class: 'next-step' },
    el(
      'button',
      { type: 'button', class: 'button', onclick: () => useStep(index) },
      `Next: ${example.title.toLowerCase()}`,
    ),
  );
}

function firstLine(sql: string): string {
  const line = sql.split('\n', 1)[0] ?? '';
  return line.replace(/\s*\($/, '');
}
