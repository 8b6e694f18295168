// Medians and the table.

const LABELS = {
  bulkInsert: 'bulk insert, all rows',
  reopen: 'reopen: navigation to count(*)',
  point: 'point select, median',
  insert: 'insert one row, median',
  insertMany: 'insert many rows, one each, at once',
  groupBy: 'group by, median',
  update: 'update 10 %',
  delete: 'delete 10 %',
};

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** The medians over runs: { [spec]: { [operation]: ms } }. A run that failed or answered wrongly counts for nothing. */
export function medians(results) {
  const specs = [...new Set(results.map(({ spec }) => spec))];
  return Object.fromEntries(
    specs.map((spec) => {
      const good = results.filter(
        (result) => result.spec === spec && result.error === undefined && result.wrong.length === 0,
      );
      const operations = Object.keys(LABELS).filter(() => good.length > 0);
      return [
        spec,
        Object.fromEntries(
          operations.map((operation) => [operation, median(good.map(({ times }) => times[operation]))]),
        ),
      ];
    }),
  );
}

/** A table in Markdown: milliseconds, and in brackets how many times as long as the baseline. */
export function table(byDatabase, baseline) {
  const cell = (spec, operation) => {
    const ms = byDatabase[spec][operation];
    if (ms === undefined) return '-';
    const base = byDatabase[baseline]?.[operation];
    const ratio = spec === baseline || base === undefined ? '' : ` (x${(ms / base).toFixed(2)})`;
    return `${ms >= 10 ? ms.toFixed(0) : ms.toFixed(3)}${ratio}`;
  };
  const specs = Object.keys(byDatabase);
  const lines = [
    ['milliseconds', ...specs],
    ...Object.entries(LABELS).map(([operation, label]) => [label, ...specs.map((spec) => cell(spec, operation))]),
  ];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const format = (line) =>
    `| ${line.map((text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [format(lines[0]), rule, ...lines.slice(1).map(format)].join('\n');
}
