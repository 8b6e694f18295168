/** Finds the line that an error points into. */

/** One line of a script with a place marked in it. */
export interface SourceLine {
  /** 1-based. */
  readonly number: number;
  readonly text: string;
  /** Characters before the caret, for a line shown in a monospaced font. */
  readonly caret: number;
}

/** Characters of a long line that are shown on each side of the caret. */
const CONTEXT = 60;

/** The line of `script` that holds `position` (UTF-16 units), cut to its neighbourhood when it is long. */
export function sourceLine(script: string, position: number): SourceLine {
  const at = Math.min(position, script.length);
  const start = script.lastIndexOf('\n', at - 1) + 1;
  const newline = script.indexOf('\n', at);
  const line = script.slice(start, newline === -1 ? script.length : newline).replaceAll('\t', ' ');
  const column = at - start;
  const from = Math.max(0, column - CONTEXT);
  const lead = from > 0 ? '\u2026' : '';
  const tail = line.length > column + CONTEXT ? '\u2026' : '';
  return {
    number: script.slice(0, start).split('\n').length,
    text: `${lead}${line.slice(from, column + CONTEXT)}${tail}`,
    caret: [...`${lead}${line.slice(from, column)}`].length,
  };
}
