/** The list of what was run. */
import { el } from '../ui/dom';
import type { HistoryEntry } from './history-entries';

const time = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** Shows what was run, newest first. A click hands the text to `reuse`. */
export function showHistory(
  parent: HTMLElement,
  entries: readonly HistoryEntry[],
  reuse: (text: string) => void,
): void {
  if (entries.length === 0) {
    parent.replaceChildren(el('p', { class: 'side-empty' }, 'What you run is kept here, in this browser only.'));
    return;
  }
  const item = (entry: HistoryEntry): HTMLElement =>
    el(
      'li',
      {},
      el(
        'button',
        { type: 'button', class: 'history-entry', title: 'Put into the editor', onclick: () => reuse(entry.text) },
        el('code', {}, entry.text.trim()),
        el(
          'span',
          { class: entry.ok ? 'history-time' : 'history-time failed' },
          entry.ok ? time.format(entry.at) : `${time.format(entry.at)}, failed`,
        ),
      ),
    );
  parent.replaceChildren(el('ol', { class: 'history-list' }, ...entries.map(item)));
}
