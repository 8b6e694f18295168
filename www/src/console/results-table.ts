/** The table of a result's rows, of any length. */
import { el } from '../ui/dom';
import { formatCell, isNumericType } from './cell-format';
import type { Grid } from './export-text';

/** Pixels; the style sheet reads the same number from `--row-height`. */
const ROW_HEIGHT = 28;
/** Rows kept ready above and below what is visible. */
const OVERSCAN = 12;
/** Browsers cap the height of an element (Firefox at about 17 million pixels); beyond this the scroll bar is scaled. */
const MAX_SCROLL_HEIGHT = 15_000_000;
/** Rows looked at to choose the width of a column. */
const SAMPLE_ROWS = 200;
const MIN_CHARS = 4;
const MAX_CHARS = 44;

/**
 * A table that has only the visible rows in the document, so that its cost does not
 * grow with the result. Rows are absolutely placed in a box as high as all of them.
 */
export function resultsTable(grid: Grid): HTMLElement {
  const { fields, rows } = grid;
  const numeric = fields.map((field) => isNumericType(field.type));
  const columns = [`${Math.max(3, String(rows.length).length + 2)}ch`, ...fields.map((_, i) => columnWidth(grid, i))];
  const fullHeight = rows.length * ROW_HEIGHT;
  const height = Math.min(fullHeight, MAX_SCROLL_HEIGHT);

  const header = el(
    'div',
    { class: 'grid-row grid-head', role: 'row', 'aria-rowindex': 1 },
    el('div', { class: 'cell gutter', role: 'columnheader', 'aria-label': 'Row number' }),
    ...fields.map((field, i) =>
      el(
        'div',
        {
          class: numeric[i] === true ? 'cell head number' : 'cell head',
          role: 'columnheader',
          title: `${field.name} ${field.type}`,
        },
        el('span', { class: 'head-name' }, field.name),
        el('span', { class: 'head-type' }, field.type),
      ),
    ),
  );
  const body = el('div', { class: 'grid-body', role: 'rowgroup' });
  body.style.height = `${height}px`;
  const box = el(
    'div',
    { class: 'grid', role: 'table', tabindex: 0, 'aria-rowcount': rows.length + 1, 'aria-label': 'Result rows' },
    header,
    body,
  );
  box.style.setProperty('--columns', `${columns.join(' ')} minmax(0, 1fr)`);

  const shown = new Map<number, HTMLElement>();
  const show = (): void => {
    const visible = Math.ceil(box.clientHeight / ROW_HEIGHT);
    // The row at the top, and how far the rows are shifted because the box is lower than all of them together.
    const range = Math.max(1, height - box.clientHeight);
    const top = fullHeight <= height ? box.scrollTop : (box.scrollTop / range) * (fullHeight - box.clientHeight);
    const shift = box.scrollTop - top;
    const first = Math.max(0, Math.floor(top / ROW_HEIGHT) - OVERSCAN);
    const end = Math.min(rows.length, Math.floor(top / ROW_HEIGHT) + visible + OVERSCAN);
    for (const [index, node] of shown) {
      if (index >= first && index < end) continue;
      node.remove();
      shown.delete(index);
    }
    for (let index = first; index < end; index += 1) {
      const node = shown.get(index) ?? row(rows[index] ?? [], index, numeric);
      node.style.transform = `translateY(${index * ROW_HEIGHT + shift}px)`;
      if (shown.has(index)) continue;
      shown.set(index, node);
      body.append(node);
    }
  };

  let frame = 0;
  const schedule = (): void => {
    if (frame !== 0) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      show();
    });
  };
  box.addEventListener('scroll', schedule, { passive: true });
  // Fires once when the box enters the document, which is when its height is first known.
  new ResizeObserver(schedule).observe(box);
  return box;
}

function row(values: readonly unknown[], index: number, numeric: readonly boolean[]): HTMLElement {
  const node = el(
    'div',
    { class: 'grid-row', role: 'row', 'aria-rowindex': index + 2 },
    el('div', { class: 'cell gutter', role: 'rowheader' }, String(index + 1)),
  );
  for (const [i, right] of numeric.entries()) node.append(cell(values[i], right));
  return node;
}

function cell(value: unknown, right: boolean): HTMLElement {
  if (value === null || value === undefined) {
    return el('div', { class: right ? 'cell number null' : 'cell null', role: 'cell' }, 'NULL');
  }
  const text = formatCell(value);
  const node = el('div', { class: right ? 'cell number' : 'cell', role: 'cell' }, text);
  if (text.length > MAX_CHARS / 2) node.title = text;
  return node;
}

/** Cells are monospaced, so characters measure them. Wide scripts are cut a little earlier, with their text in the tooltip. */
function columnWidth({ fields, rows }: Grid, index: number): string {
  const field = fields[index];
  let chars = Math.max(MIN_CHARS, (field?.name.length ?? 0) + (field?.type.length ?? 0) + 1);
  for (const values of rows.slice(0, SAMPLE_ROWS)) {
    const value = values[index];
    chars = Math.max(chars, value === null || value === undefined ? 4 : formatCell(value).length);
  }
  return `calc(${Math.min(chars, MAX_CHARS)}ch + 1.75rem)`;
}
