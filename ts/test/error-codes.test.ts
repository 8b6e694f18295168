import { expect, test } from 'vitest';
import kinds from '../../crates/kalamdb-core/src/error/kind.rs?raw';
import { SQL_STATES } from '../error-codes.js';

test('the codes are the ones of the engine', () => {
  const declared = [...kinds.matchAll(/^ {4}[A-Z]\w+ "(\w+)" "(\w{5})"/gm)].map(([, code, state]) => [code, state]);
  expect(declared.length).toBeGreaterThan(40);
  expect(Object.entries(SQL_STATES)).toEqual(declared);
});
