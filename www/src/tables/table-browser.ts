import { el } from '../ui/dom';
import { formatCount } from '../ui/format-number';
import type { CatalogColumn, CatalogTable } from './catalog';
import { tableName } from './identifier';

/**
 * Shows namespaces, tables and columns. A click on a table's name hands a preview
 * query to `preview`; which tables are unfolded survives the next refresh.
 */
export function showTables(parent: HTMLElement, tables: readonly CatalogTable[], preview: (sql: string) => void): void {
  const open = new Set(
    [...parent.querySelectorAll<HTMLElement>('[data-table] .table-fold[aria-expanded="true"]')].map(
      (fold) => fold.closest<HTMLElement>('[data-table]')?.dataset.table,
    ),
  );
  if (tables.length === 0) {
    parent.replaceChildren(
      el('p', { class: 'side-empty' }, 'No tables yet. Create one, or load the sample data below.'),
    );
    return;
  }
  const namespaces = Map.groupBy(tables, (table) => table.namespace);
  parent.replaceChildren(
    ...[...namespaces].map(([namespace, members]) =>
      el(
        'section',
        { class: 'namespace' },
        el('h3', {}, namespace),
        el(
          'ul',
          { class: 'table-list' },
          ...members.map((table) => tableItem(table, open.has(fullName(table)), preview)),
        ),
      ),
    ),
  );
}

function tableItem(table: CatalogTable, isOpen: boolean, preview: (sql: string) => void): HTMLElement {
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
        { type: 'button', class: 'table-name', title: select, onclick: () => preview(select) },
        el('span', { class: 'table-label' }, table.name),
        el('span', { class: 'table-count', title: 'Rows' }, formatCount(table.rowCount)),
      ),
    ),
    columns,
  );
}

function columnNote(column: CatalogColumn): HTMLElement | null {
  if (column.isKey) return el('span', { class: 'column-key', title: 'Primary key' }, 'key');
  return column.isNullable ? null : el('span', { class: 'column-note' }, 'not null');
}

function fullName(table: CatalogTable): string {
  return `${table.namespace}.${table.name}`;
}
