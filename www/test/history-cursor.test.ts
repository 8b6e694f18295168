import { describe, expect, test } from 'vitest';
import { HistoryCursor } from '../src/history/history-cursor';
import { type HistoryEntry, isHistory, withEntry } from '../src/history/history-entries';

const entry = (text: string): HistoryEntry => ({ text, at: 0, ok: true });
const texts = (entries: readonly HistoryEntry[]): string[] => entries.map(({ text }) => text);

describe('a cursor', () => {
  test('goes up to the oldest text and down again to the draft', () => {
    const cursor = new HistoryCursor(() => [entry('new'), entry('old')]);
    expect(cursor.older('draft')).toBe('new');
    expect(cursor.older('new')).toBe('old');
    expect(cursor.older('old')).toBe(null);
    expect(cursor.newer()).toBe('new');
    expect(cursor.newer()).toBe('draft');
    expect(cursor.newer()).toBe(null);
  });

  test('passes over what the editor holds already', () => {
    const cursor = new HistoryCursor(() => [entry('same'), entry('same'), entry('other')]);
    expect(cursor.older('same')).toBe('other');
    expect(cursor.older('other')).toBe(null);
  });

  test('has nowhere to go in an empty history', () => {
    const cursor = new HistoryCursor(() => []);
    expect([cursor.older('draft'), cursor.newer()]).toEqual([null, null]);
  });

  test('begins again after a reset, with the history as it is then', () => {
    let entries = [entry('first')];
    const cursor = new HistoryCursor(() => entries);
    expect(cursor.older('')).toBe('first');
    entries = [entry('second'), entry('first')];
    cursor.reset();
    expect(cursor.newer()).toBe(null);
    expect(cursor.older('another draft')).toBe('second');
    expect(cursor.newer()).toBe('another draft');
  });

  test('says nothing when its place is gone', () => {
    let entries = [entry('c'), entry('b'), entry('a')];
    const cursor = new HistoryCursor(() => entries);
    cursor.older('');
    cursor.older('c');
    cursor.older('b');
    entries = [];
    expect(cursor.newer()).toBe(null);
  });
});

describe('a history', () => {
  test('has what ran last in front, and each text once', () => {
    const entries = ['a', 'b', 'a', 'c'].reduce<readonly HistoryEntry[]>(
      (before, text) => withEntry(before, entry(text)),
      [],
    );
    expect(texts(entries)).toEqual(['c', 'a', 'b']);
  });

  test('keeps 200 texts, and none that is very long', () => {
    let entries: readonly HistoryEntry[] = [];
    for (let n = 1; n <= 205; n += 1) entries = withEntry(entries, entry(`SELECT ${n}`));
    expect(entries).toHaveLength(200);
    expect([entries.at(0)?.text, entries.at(-1)?.text]).toEqual(['SELECT 205', 'SELECT 6']);
    expect(withEntry(entries, entry('x'.repeat(20_001)))).toBe(entries);
    expect(withEntry(entries, entry('x'.repeat(20_000))).at(0)?.text).toHaveLength(20_000);
  });

  test('is told from other values in the storage', () => {
    expect(isHistory([])).toBe(true);
    expect(isHistory([{ text: 'SELECT 1', at: 5, ok: false }])).toBe(true);
    for (const other of [null, {}, 'text', [null], [{ text: 1, at: 5, ok: true }], [{ text: 'a', at: 5 }]]) {
      expect(isHistory(other)).toBe(false);
    }
  });
});
