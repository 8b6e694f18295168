/** The editor with its results: writes statements into it, runs them, and keeps what was run. */
import { completionSchema } from '../console/completion-schema';
import { Console } from '../console/console';
import { Editor } from '../console/editor';
import { emptyState, idleState, nextStep } from '../console/empty-state';
import { errorPanel } from '../console/error-panel';
import { FIRST_STEPS } from '../console/first-steps';
import { keyHints } from '../console/key-hints';
import { HistoryCursor } from '../history/history-cursor';
import { withEntry } from '../history/history-entries';
import { el, element } from '../ui/dom';
import { errorText } from '../ui/error-text';
import type { CatalogRefresh } from './catalog-refresh';
import type { Connection, ConnectionState } from './connection';
import type { CatalogState, State } from './state';
import { bringToFront } from './views';

/** What the rest of the page does with the editor and the results. */
export class Workbench {
  readonly #state: State;
  readonly #connection: Connection;
  readonly #results = element('results', HTMLElement);
  readonly #editor: Editor;
  readonly #console: Console;

  constructor(state: State, connection: Connection, catalog: CatalogRefresh) {
    this.#state = state;
    this.#connection = connection;
    const cursor = new HistoryCursor(() => state.get('history'));
    this.#editor = new Editor(element('editor', HTMLElement), state.get('draft'), {
      run: () => this.#run(),
      older: () => this.#take(cursor.older(this.#editor.text)),
      newer: () => this.#take(cursor.newer()),
      changed: (text) => state.set('draft', text),
    });
    this.#console = new Console(
      state,
      connection,
      {
        editor: this.#editor,
        results: this.#results,
        note: element('run-note', HTMLElement),
        userField: element('run-as', HTMLInputElement),
      },
      {
        ran: ({ text }, ok, mayHaveChanged) => {
          state.set('history', withEntry(state.get('history'), { text, at: Date.now(), ok }));
          cursor.reset();
          if (mayHaveChanged) catalog.refresh();
        },
      },
    );
    this.#showState();
    element('keys', HTMLElement).append(...keyHints());
    // On a touch screen the focus would bring up the keyboard over what there is to read.
    if (matchMedia('(pointer: fine)').matches) this.#editor.focus();
  }

  /** Puts a text into the editor and shows it. */
  edit(text: string): void {
    this.#editor.setText(text);
    bringToFront(this.#state, 'console');
    this.#editor.focus();
  }

  /** Puts a text into the editor and runs it. */
  preview(sql: string): void {
    this.edit(sql);
    this.#run();
  }

  /** Shows a failure in place of the results. */
  showError(error: unknown, ...actions: readonly HTMLElement[]): void {
    this.#results.replaceChildren(errorPanel(errorText(error), null, ...actions));
  }

  #run(): void {
    void this.#console.run();
  }

  /** Puts a text from the history into the editor, if there is one. */
  #take(text: string | null): void {
    if (text !== null) this.#editor.setText(text);
  }

  /** Runs one of the first steps and offers the next. */
  async #useStep(index: number): Promise<void> {
    const step = FIRST_STEPS[index];
    if (step === undefined) return;
    this.edit(step.sql);
    const next = (await this.#console.run()) ? nextStep(index + 1, this.#startStep) : null;
    if (next !== null) this.#results.append(next);
  }

  readonly #startStep = (index: number): void => void this.#useStep(index);

  #showState(): void {
    const state = this.#state;
    const runButton = element('run', HTMLButtonElement);
    runButton.addEventListener('click', () => this.#run());
    const mayRun = (): void => {
      runButton.disabled = state.get('isRunning') || state.get('connection').type !== 'ready';
    };
    state.watch('connection', (connection) => {
      mayRun();
      this.#showConnection(connection);
    });
    state.watch('isRunning', (isRunning) => {
      mayRun();
      this.#results.setAttribute('aria-busy', String(isRunning));
    });
    state.watch('catalog', (catalog) => {
      if (catalog.type === 'read') this.#editor.setSchema(completionSchema(catalog.tables));
      this.#greet(catalog);
    });
  }

  #showConnection(connection: ConnectionState): void {
    if (connection.type === 'ready') this.#results.replaceChildren();
    if (connection.type !== 'failed') return;
    const open = (): void => void this.#connection.open();
    this.showError(connection.error, el('button', { type: 'button', class: 'button', onclick: open }, 'Try again'));
  }

  /** Fills the results of a database that was just opened, unless a statement was faster. */
  #greet(catalog: CatalogState): void {
    if (this.#results.childElementCount > 0 || this.#state.get('isRunning')) return;
    const isEmpty = catalog.type === 'read' && catalog.tables.length === 0;
    this.#results.replaceChildren(isEmpty ? emptyState(this.#startStep) : idleState());
  }
}
