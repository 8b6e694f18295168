/** The words of a failure, of whatever kind. */
import { isKalamDBError } from 'kalamdb';

/** What the page shows of a failure, wherever it came from. */
export interface ErrorText {
  /** The error's code, or its class where it is not the database's. */
  readonly code: string;
  readonly sqlState: string | null;
  readonly message: string;
  readonly hint: string | null;
  readonly detail: string | null;
  /** Offset into the statement in UTF-16 units. */
  readonly position: number | null;
}

/** Takes apart anything that was thrown. */
export function errorText(error: unknown): ErrorText {
  if (isKalamDBError(error)) {
    return {
      code: error.code,
      sqlState: error.sqlState,
      message: error.message,
      hint: error.hint ?? null,
      detail: error.detail ?? null,
      position: error.position ?? null,
    };
  }
  const isError = error instanceof Error;
  return {
    code: isError ? error.name : 'Error',
    sqlState: null,
    message: isError ? error.message : String(error),
    hint: null,
    detail: null,
    position: null,
  };
}
