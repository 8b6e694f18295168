import type { Param } from '../wire/params.js';

/** A statement with its values, made by {@link sql}. */
export class SqlStatement {
  /** The text, with `$1`, `$2` and so on where the values were. */
  readonly text: string;
  /** The values, in the order of their numbers. */
  readonly params: readonly Param[];
  /** The pieces of text around the values: always one more than there are values. */
  readonly #pieces: readonly string[];

  /** @internal */
  constructor(pieces: readonly string[], params: readonly Param[]) {
    this.#pieces = pieces;
    this.params = params;
    this.text = pieces.reduce((text, piece, i) => `${text}$${i}${piece}`);
  }

  /** @internal */
  static compose(strings: readonly string[], values: readonly (Param | SqlStatement)[]): SqlStatement {
    const pieces = [strings[0] ?? ''];
    const params: Param[] = [];
    for (const [i, value] of values.entries()) {
      const after = strings[i + 1] ?? '';
      if (value instanceof SqlStatement) {
        const [first = '', ...rest] = value.#pieces;
        pieces.push(`${pieces.pop()}${first}`, ...rest);
        params.push(...value.params);
        pieces.push(`${pieces.pop()}${after}`);
      } else {
        params.push(value);
        pieces.push(after);
      }
    }
    return new SqlStatement(pieces, params);
  }
}

/**
 * Makes a statement of a template: values become parameters, never text. A value that is itself a statement is
 * put in as text, with its own parameters.
 *
 * @example
 * const newer = sql`created > ${since}`;
 * await db.query(sql`SELECT * FROM notes WHERE ${newer} AND owner = ${name}`);
 */
export function sql(strings: TemplateStringsArray, ...values: (Param | SqlStatement)[]): SqlStatement {
  return SqlStatement.compose(strings, values);
}
