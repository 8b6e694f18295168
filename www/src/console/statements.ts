/** Splits a script into its statements. */
import { kalamDialect } from './dialect';

/** One statement of a script. */
export interface Statement {
  readonly text: string;
  /** Where `text` begins in the script, in UTF-16 units. */
  readonly offset: number;
}

/**
 * Splits a script at its semicolons, with the editor's own grammar, so that a
 * semicolon in a string, a comment or a dollar-quoted text does not split.
 * The console runs statement by statement to show each result as it arrives;
 * whatever is in a piece, the engine decides what it means.
 */
export function splitStatements(script: string): Statement[] {
  const statements: Statement[] = [];
  const cursor = kalamDialect.language.parser.parse(script).cursor();
  if (!cursor.firstChild()) return statements;
  do {
    // Anything else, text that the grammar cannot place included, goes to the engine.
    if (cursor.name === 'LineComment' || cursor.name === 'BlockComment') continue;
    const text = script.slice(cursor.from, cursor.to);
    if (text.replaceAll(';', '').trim() !== '') statements.push({ text, offset: cursor.from });
  } while (cursor.nextSibling());
  return statements;
}
