import { KalamDB } from 'kalamdb';
import { describe, expect, test } from 'vitest';
import statements from './hostile.tsv?raw';
import { column, failureOf, TRANSPORTS, withName } from './support.js';

/** A text with its repetitions, in angle quotation marks, written out: `3:a#` within them is `a1a2a3`. */
function expand(text: string): string {
  return text.replace(/\u00ab(\d+):([^\u00bb]*)\u00bb/g, (_, n: string, part: string) =>
    Array.from({ length: Number(n) }, (_, at) => part.replaceAll('#', String(at + 1)).replaceAll('@', String(at))).join(
      '',
    ),
  );
}

const STATEMENTS = statements
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split('\t') as [code: string, sql: string]);

describe.each(TRANSPORTS)('statements that would take stack or memory, engine in the %s', (_, options) => {
  test('give their errors, and the engine goes on', { timeout: 600_000 }, async () => {
    await withName(options, async (name) => {
      const db = await KalamDB.open(name, options);
      await db.exec('CREATE TABLE rows (k INTEGER PRIMARY KEY, g INTEGER, v DOUBLE, s TEXT, tags INTEGER[])');
      await db.exec(
        "INSERT INTO rows VALUES (1, 1, 1.5, 'abc', [1]), (2, 1, 2.5, 'twenty characters...', [2]), (3, 2, NULL, NULL, NULL)",
      );
      for (const [code, sql] of STATEMENTS) {
        const outcome = code === 'ok' ? await db.query(expand(sql)) : await failureOf(db.query(expand(sql)));
        if (code !== 'ok') expect(outcome, sql).toMatchObject({ code });
        expect(await column(db, 'SELECT count(*) FROM rows'), sql).toEqual([3]);
      }
      await db.close();
    });
  });

  test('values have the size that is asked for', async () => {
    await withName(options, async (name) => {
      const db = await KalamDB.open(name, { ...options, valueLimitBytes: 1000 });
      expect(await column(db, "SELECT length(repeat('x', 1000))")).toEqual([1000]);
      expect(await failureOf(db.query("SELECT repeat('x', 1001)"))).toMatchObject({ code: 'program_limit_exceeded' });
      await db.close();
    });
  });
});
