/** What is beside the console: the tables, the sample data, the history. */
import { DatasetPanel } from '../datasets/dataset-panel';
import { showHistory } from '../history/history-panel';
import { TableBrowser } from '../tables/table-browser';
import { element } from '../ui/dom';
import type { CatalogRefresh } from './catalog-refresh';
import type { Connection } from './connection';
import type { State } from './state';
import type { Workbench } from './workbench';

/** Wires the lists to the state; what is clicked in them goes to the workbench. */
export function setUpSide(state: State, connection: Connection, catalog: CatalogRefresh, workbench: Workbench): void {
  const browser = new TableBrowser(element('tables', HTMLElement), (sql) => workbench.preview(sql));
  const dataset = new DatasetPanel(element('dataset', HTMLElement), () => connection.db, {
    loaded: () => catalog.refresh(),
    useExample: ({ sql, changesData }) => (changesData ? workbench.edit(sql) : workbench.preview(sql)),
  });
  state.watch('catalog', (now) => {
    if (now.type === 'failed') browser.showError(now.error);
    if (now.type !== 'read') return;
    browser.show(now.tables);
    dataset.showExamples(now.tables.some(({ namespace, name }) => namespace === 'default' && name === 'flights'));
  });

  const history = element('history', HTMLElement);
  state.show('history', (entries) => showHistory(history, entries, (text) => workbench.edit(text)));
  element('clear-history', HTMLButtonElement).addEventListener('click', () => state.set('history', []));
}
