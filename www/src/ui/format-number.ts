/** Numbers and durations as people read them. */

const count = new Intl.NumberFormat('en');

/** `1234567` as `1,234,567`. */
export function formatCount(value: number): string {
  return count.format(value);
}

/** `1 row`, `2,000 rows`. */
export function plural(value: number, noun: string): string {
  return `${formatCount(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** A duration given in milliseconds, with as many digits as are worth reading. */
export function formatMs(ms: number): string {
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 9_950) return `${formatCount(Math.round(ms))} ms`;
  return `${(ms / 1000).toFixed(1)} s`;
}
