import { Console } from '../console/console';
import { Editor } from '../console/editor';
import { emptyState, idleState, nextStep } from '../console/empty-state';
import { errorPanel } from '../console/error-panel';
import { DatasetPanel } from '../datasets/dataset-panel';
import { type Example, FIRST_STEPS } from '../datasets/examples';
import { HistoryCursor } from '../history/history-cursor';
import { showHistory } from '../history/history-panel';
import { HistoryStore } from '../history/history-store';
import { type CatalogTable, readCatalog } from '../tables/catalog';
import { showTables } from '../tables/table-browser';
import { ask } from '../ui/confirm-dialog';
import { byId, el } from '../ui/dom';
import { errorText } from '../ui/error-text';
import { isString, recall, remember } from '../ui/local-store';
import { setUpTheme } from '../ui/theme';
import { Connection, type ConnectionState, DATABASE_NAME } from './connection';
import { showStatus } from './status';
import { setUpViews } from './views';

const results = byId('results');
const runButton = byId('run') as HTMLButtonElement;
const history = new HistoryStore();
const cursor = new HistoryCursor(history);
const views = setUpViews();
const connection = new Connection(onConnection);

const editor = new Editor(byId('editor'), recall('draft', '', isString), {
  run,
  older: () => take(cursor.older(editor.text)),
  newer: () => take(cursor.newer()),
  changed: (text) => remember('draft', text),
});

const sqlConsole = new Console(
  connection,
  { editor, results, runButton, note: byId('run-note'), userField: byId('run-as') as HTMLInputElement },
  {
    ran: (piece, ok, mayHaveChanged) => {
      history.add({ text: piece.text, at: Date.now(), ok });
      cursor.reset();
      refreshHistory();
      if (mayHaveChanged) void refreshTables();
    },
  },
);

const dataset = new DatasetPanel(byId('dataset'), connection, {
  loaded: () => void refreshTables(),
  useExample,
});

function run(): void {
  void sqlConsole.run();
}

/** Puts a text from the history into the editor, if there is one. */
function take(text: string | null): void {
  if (text !== null) editor.setText(text);
}

/** Puts a text into the editor and shows it. */
function edit(text: string): void {
  editor.setText(text);
  views.show('console');
  editor.focus();
}

function preview(sql: string): void {
  edit(sql);
  run();
}

function useExample(example: Example): void {
  if (example.changesData) edit(example.sql);
  else preview(example.sql);
}

/** Runs one of the first steps and offers the next. */
async function useStep(index: number): Promise<void> {
  const step = FIRST_STEPS[index];
  if (step === undefined) return;
  edit(step.sql);
  const next = (await sqlConsole.run()) ? nextStep(index + 1, startStep) : null;
  if (next !== null) results.append(next);
}

function startStep(index: number): void {
  void useStep(index);
}

function refreshHistory(): void {
  showHistory(byId('history'), history.entries, edit);
}

/** Reads the catalog again; gives whether there are tables. */
async function refreshTables(): Promise<boolean> {
  const { db } = connection;
  if (db === null) return false;
  try {
    const tables = await readCatalog(db);
    showTables(byId('tables'), tables, preview);
    editor.setSchema(completionSchema(tables));
    dataset.showExamples(tables.some((table) => table.namespace === 'default' && table.name === 'flights'));
    return tables.length > 0;
  } catch (error) {
    const { code, message } = errorText(error);
    byId('tables').replaceChildren(el('p', { class: 'side-empty failed' }, `${code}: ${message}`));
    return true;
  }
}

/** Fills the results area of a database that was just opened, unless a statement was faster. */
async function greet(): Promise<void> {
  const hasTables = await refreshTables();
  if (results.childElementCount > 0) return;
  results.replaceChildren(hasTables ? idleState() : emptyState(startStep));
}

function completionSchema(tables: readonly CatalogTable[]): Record<string, Record<string, string[]>> {
  const schema: Record<string, Record<string, string[]>> = {};
  for (const { namespace, name, columns } of tables) {
    schema[namespace] = { ...schema[namespace], [name]: columns.map((column) => column.name) };
  }
  return schema;
}

function onConnection(state: ConnectionState): void {
  showStatus(state);
  runButton.disabled = state.type !== 'ready';
  switch (state.type) {
    case 'opening':
      return;
    case 'ready':
      results.replaceChildren();
      void greet();
      return;
    case 'failed': {
      const again = el(
        'button',
        { type: 'button', class: 'button', onclick: () => void connection.open() },
        'Try again',
      );
      results.replaceChildren(errorPanel(errorText(state.error), null, again));
    }
  }
}

async function reset(): Promise<void> {
  const isSure = await ask({
    title: 'Reset the database?',
    text: `Every table of "${DATABASE_NAME}" in this browser is deleted, with all rows. This cannot be undone. The history of statements is kept.`,
    confirm: 'Delete everything',
    isDanger: true,
  });
  if (!isSure) return;
  try {
    await connection.reset();
  } catch (error) {
    results.replaceChildren(errorPanel(errorText(error), null));
  }
}

setUpTheme(byId('theme'));
refreshHistory();
const isMac = navigator.platform.startsWith('Mac');
const [runKey, historyKeys] = isMac
  ? ['\u2318\u21a9', '\u2325\u2191 \u2325\u2193']
  : ['Ctrl+Enter', 'Alt+\u2191 Alt+\u2193'];
byId('keys').append(el('kbd', {}, runKey), ' run ', el('kbd', {}, historyKeys), ' history');
runButton.addEventListener('click', run);
byId('reset').addEventListener('click', () => void reset());
byId('clear-history').addEventListener('click', () => {
  history.clear();
  refreshHistory();
});
// Another tab may have changed the tables meanwhile.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void refreshTables();
});
// On a touch screen the focus would bring up the keyboard over what there is to read.
if (matchMedia('(pointer: fine)').matches) editor.focus();
void connection.open();
