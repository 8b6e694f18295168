// Which functions and operators the statements have reached, against those that docs/functions.md lists.

import { readFileSync } from 'node:fs';

const page = (name) => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');

/** The functions and operators of a statement. */
export function reachedBy(sql) {
  const functions = [...sql.matchAll(/\b([A-Za-z_]\w*) ?\(/g)].map(([, name]) => name.toLowerCase());
  const operators = [...sql.matchAll(/ (\S+) /g)]
    .map(([, word]) => word)
    .filter((word) => /^[-+*/<>=~!@#%^&|?]+$/.test(word));
  // These are called without parentheses.
  const values = [...sql.matchAll(/\bCURRENT_[A-Z]+\b/g)].map(([name]) => name.toLowerCase());
  return [...functions, ...operators, ...values];
}

/** What the page lists: a name before a parenthesis, a name with an underscore, and what stands between two operands. */
export function listed() {
  const errors = new Set([...page('errors.md').matchAll(/`([a-z_]+)`/g)].map(([, name]) => name));
  const names = new Set();
  for (const [, code] of page('functions.md').matchAll(/`([^`]+)`/g)) {
    const [, name, next] = /^([A-Za-z_]\w*)(.?)/.exec(code) ?? [];
    if (name && (next === '(' || (next === '' && /^[a-z].*_|^sha\d|^CURRENT_/i.test(name))) && !errors.has(name))
      names.add(name.toLowerCase());
    const operator = /^[A-Za-z]\S* ([-<>=~!@#?&\\|]+) /.exec(code)?.[1];
    if (operator && code !== 'x -> x + 1' && !code.includes('=>')) names.add(operator.replaceAll('\\', ''));
  }
  return names;
}
