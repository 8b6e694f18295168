/** The panel of the sample data. */
import type { KalamDB } from 'kalamdb';
import { ask } from '../ui/confirm-dialog';
import { el } from '../ui/dom';
import { errorText } from '../ui/error-text';
import { formatCount, formatMs, plural } from '../ui/format-number';
import { countFlights, FLIGHT_ROWS, type LoadProgress, loadFlights } from './dataset-loader';
import type { Example } from './example';
import { exampleList } from './example-list';
import { FLIGHT_EXAMPLES } from './flight-examples';

/** What the panel tells the rest of the page. */
export interface DatasetEvents {
  readonly loaded: () => void;
  readonly useExample: (example: Example) => void;
}

/** The sample data: a button that loads it, a progress bar, and queries to try on it. */
export class DatasetPanel {
  readonly #database: () => KalamDB | null;
  readonly #events: DatasetEvents;
  readonly #button: HTMLButtonElement;
  readonly #bar = el('progress', { max: 1, value: 0, 'aria-label': 'Rows loaded', hidden: true });
  readonly #note = el('p', { class: 'dataset-note', 'aria-live': 'polite' });
  readonly #examples: HTMLElement;

  constructor(parent: HTMLElement, database: () => KalamDB | null, events: DatasetEvents) {
    this.#database = database;
    this.#events = events;
    this.#button = el(
      'button',
      { type: 'button', class: 'button', id: 'load-flights', onclick: () => void this.#load() },
      'Load flights',
    );
    this.#examples = el(
      'div',
      { class: 'dataset-examples', hidden: true },
      el('h3', {}, 'Try on flights'),
      exampleList(FLIGHT_EXAMPLES, events.useExample),
    );
    parent.replaceChildren(
      el(
        'section',
        { class: 'dataset', 'aria-label': 'Sample data' },
        el('h3', {}, 'Sample data'),
        el('p', {}, `${formatCount(FLIGHT_ROWS)} flights in the United States: delay, distance and time of departure.`),
        this.#button,
        this.#bar,
        this.#note,
      ),
      this.#examples,
    );
  }

  /** Shows the examples if the table is there. */
  showExamples(isLoaded: boolean): void {
    this.#examples.hidden = !isLoaded;
  }

  async #load(): Promise<void> {
    const db = this.#database();
    if (db === null || this.#button.disabled) return;
    this.#button.disabled = true;
    this.#note.classList.remove('failed');
    try {
      const present = await countFlights(db);
      if (present !== null && present > 0 && !(await this.#mayReplace(present))) return;
      this.#bar.hidden = false;
      this.#bar.removeAttribute('value');
      this.#note.textContent = 'Reading the file';
      const { rows, ms } = await loadFlights(db, (progress) => this.#showProgress(progress));
      this.#note.textContent = `${plural(rows, 'row')} stored in ${formatMs(ms)}, ${rate(rows, ms)}`;
    } catch (error) {
      const { code, message } = errorText(error);
      this.#note.classList.add('failed');
      this.#note.textContent = `${code}: ${message}`;
    } finally {
      this.#bar.hidden = true;
      this.#button.disabled = false;
      this.#events.loaded();
    }
  }

  #showProgress(progress: LoadProgress): void {
    this.#bar.value = progress.rows / progress.total;
    this.#note.textContent = `${formatCount(progress.rows)} of ${plural(progress.total, 'row')}, ${rate(progress.rows, progress.ms)}`;
  }

  #mayReplace(present: number): Promise<boolean> {
    const partly = present < FLIGHT_ROWS ? ` (the whole set has ${formatCount(FLIGHT_ROWS)})` : '';
    return ask({
      title: 'Replace the flights table?',
      text: `There is a table "flights" with ${plural(present, 'row')}${partly}. Loading drops it, with every change made to it, and fills a new one.`,
      confirm: 'Replace it',
      isDanger: true,
    });
  }
}

function rate(rows: number, ms: number): string {
  return ms === 0 ? '0 rows/s' : `${formatCount(Math.round((rows / ms) * 1000))} rows/s`;
}
