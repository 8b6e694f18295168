/** The list of namespaces, tables and columns. */
import { el } from '../ui/dom';
import { errorText } from '../ui/error-text';
import { formatCount } from '../ui/format-number';
import type { CatalogColumn, CatalogTable } from './catalog';
import { tableName } from './identifier';

/** Shows the catalog. A click on a table's name hands a query to `preview`; what is unfolded stays so. */
export class TableBrowser {
  readonly #parent: HTMLElement;
  readonly #preview: (sql: string) => void;
  #unfolded: ReadonlySet<string> = new Set();

  constructor(parent: HTMLElement, preview: (sql: string) => void) {
    this.#parent = parent;
    this.#preview = preview;
  }

  show(tables: readonly CatalogTable[]): void {
    // A table that comes back later under the same name is another one.
    this.#unfolded = new Set(tables.map(fullName).filter((name) => this.#unfolded.has(name)));
    if (tables.length === 0) {
      this.#parent.replaceChildren(
        el('p', { class: 'side-empty' }, 'No tables yet. Create one, or load the sample data below.'),
      );
      return;
    }
    const namespaces = Map.groupBy(tables, (table) => table.namespace);
    this.#parent.replaceChildren(
      ...[...namespaces].map(([namespace, members]) =>
        el(
          'section',
          { class: 'namespace' },
          el('h3', {}, namespace),
          el('ul', { class: 'table-list' }, ...members.map((table) => this.#item(table))),
        ),
      ),
    );
  }

  /** Says why there is no list. */
  showError(error: unknown): void {
    const { code, message } = errorText(error);
    this.#parent.replaceChildren(el('p', { class: 'side-empty failed' }, `${code}: ${message}`));
  }

  #item(table: CatalogTable): HTMLElement {
    const isOpen = this.#unfolded.has(fullName(table));
    const columns = el(
      'ul',
      { class: 'column-list', hidden: !isOpen },
      ...table.columns.map((column) =>
        el(
          'li',
          {},
          el('span', { class: 'column-name' }, column.name),
          el('span', { class: 'column-type' }, column.type, columnNote(column)),
        ),
      ),
    );
    const fold = el('button', {
      type: 'button',
      class: 'table-fold',
      'aria-expanded': String(isOpen),
      'aria-label': `Columns of ${table.name}`,
      onclick: () => {
        columns.hidden = !columns.hidden;
        fold.setAttribute('aria-expanded', String(!columns.hidden));
        this.#remember(table, !columns.hidden);
      },
    });
    const select = `SELECT * FROM ${tableName(table.namespace, table.name)} LIMIT 100`;
    return el(
      'li',
      { 'data-table': fullName(table) },
      el(
        'div',
        { class: 'table-line' },
        fold,
        el(
          'button',
          { type: 'button', class: 'table-name', title: select, onclick: () => this.#preview(select) },
          el('span', { class: 'table-label' }, table.name),
          el('span', { class: 'table-count', title: 'Rows' }, formatCount(table.rowCount)),
        ),
      ),
      columns,
    );
  }

  #remember(table: CatalogTable, isUnfolded: boolean): void {
    const others = [...this.#unfolded].filter((name) => name !== fullName(table));
    this.#unfolded = new Set(isUnfolded ? [...others, fullName(table)] : others);
  }
}

function columnNote(column: CatalogColumn): HTMLElement | null {
  if (column.isKey) return el('span', { class: 'column-key', title: 'Primary key' }, 'key');
  return column.isNullable ? null : el('span', { class: 'column-note' }, 'not null');
}

function fullName(table: CatalogTable): string {
  return `${table.namespace}.${table.name}`;
}
