import { failure } from '../errors/errors.js';

/** In a regular expression with the u flag a surrogate pair is one character, so this finds lone surrogates only. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Whether the string has no lone surrogate, that is, whether it has a UTF-8 form. */
export const isWellFormed: (text: string) => boolean =
  typeof String.prototype.isWellFormed === 'function'
    ? (text) => text.isWellFormed()
    : (text) => !LONE_SURROGATE.test(text);

/** @throws TypeError when it is no string */
export function requireString(what: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw new TypeError(`${what} must be a string`);
}

/**
 * Refuses a string that has no UTF-8 form; encoding it would silently replace characters.
 *
 * @param what - how the message names the string
 * @throws {@link KalamDBError} `character_not_in_repertoire`
 */
export function requireWellFormed(text: string, what: string): void {
  if (isWellFormed(text)) return;
  throw loneSurrogate(what, text.search(LONE_SURROGATE));
}

/** The same for the text of a statement: the error tells the position in it. */
export function requireWellFormedSql(text: string): void {
  if (isWellFormed(text)) return;
  const position = text.search(LONE_SURROGATE);
  const before = text.slice(0, position).split('\n');
  throw failure('character_not_in_repertoire', 'the SQL text contains a lone surrogate, which has no UTF-8 form', {
    position,
    line: before.length,
    column: (before.at(-1)?.length ?? 0) + 1,
  });
}

/** The error of a value with a lone surrogate at `index`. */
export function loneSurrogate(what: string, index: number): Error {
  return failure(
    'character_not_in_repertoire',
    `${what} contains a lone surrogate at index ${index}, which has no UTF-8 form`,
  );
}
