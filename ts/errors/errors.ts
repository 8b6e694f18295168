import { type ErrorCode, SQL_STATES } from './error-codes.js';

/** An error as plain data: what the engine throws and what crosses from the worker. @internal */
export interface ErrorPayload {
  code: ErrorCode;
  sqlState: string;
  message: string;
  retryable: boolean;
  position?: number;
  line?: number;
  column?: number;
  detail?: string;
  hint?: string;
  cause?: { name: string; message: string };
}

/** A registered symbol, so that two copies of the package on one page recognise each other's errors. */
const BRAND = Symbol.for('kalamdb.error');

/** What every failure of the database rejects with. */
export class KalamDBError extends Error {
  override readonly name = 'KalamDBError' as const;
  /** What went wrong, as one word of a closed list; branch on this, never on the message. */
  readonly code: ErrorCode;
  /** The five-character SQLSTATE that belongs to the code. */
  readonly sqlState: string;
  /** Whether the same call may succeed when it is made again. */
  readonly retryable: boolean;
  /** Offset into the SQL text, counted from 0 in UTF-16 units. */
  readonly position?: number;
  /** Line of `position`, counted from 1. */
  readonly line?: number;
  /** Column of `position` in its line, counted from 1. */
  readonly column?: number;
  /** More about the values involved. */
  readonly detail?: string;
  /** What to do about it. */
  readonly hint?: string;

  /** @internal */
  constructor(payload: ErrorPayload, cause?: unknown) {
    const reason = cause ?? (payload.cause && new DOMException(payload.cause.message, payload.cause.name));
    super(payload.message, reason === undefined ? undefined : { cause: reason });
    this.code = payload.code;
    this.sqlState = payload.sqlState;
    this.retryable = payload.retryable;
    if (payload.position !== undefined) this.position = payload.position;
    if (payload.line !== undefined) this.line = payload.line;
    if (payload.column !== undefined) this.column = payload.column;
    if (payload.detail !== undefined) this.detail = payload.detail;
    if (payload.hint !== undefined) this.hint = payload.hint;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/**
 * Whether a caught value is a {@link KalamDBError}, also one made by another copy of this package
 * (`instanceof` says no to those).
 */
export function isKalamDBError(value: unknown): value is KalamDBError {
  return typeof value === 'object' && value !== null && Reflect.get(value, BRAND) === true;
}

/** Whether a caught value has the shape of an {@link ErrorPayload}. @internal */
export function isErrorPayload(value: unknown): value is ErrorPayload {
  if (typeof value !== 'object' || value === null || value instanceof Error) return false;
  const { code, message } = value as Partial<ErrorPayload>;
  return typeof message === 'string' && typeof code === 'string';
}

/** The payload of an error that is found on this side of the engine; never retryable. @internal */
export function payload(
  code: ErrorCode,
  message: string,
  more: Partial<Pick<ErrorPayload, 'position' | 'line' | 'column' | 'detail' | 'hint'>> = {},
): ErrorPayload {
  return { code, sqlState: SQL_STATES[code], message, retryable: false, ...more };
}

/** An error that is found on this side of the engine; never retryable. @internal */
export function failure(...args: Parameters<typeof payload>): KalamDBError {
  return new KalamDBError(payload(...args));
}

/** The error of a dead engine. Retryable, because the next call starts a new one. @internal */
export function crashed(message: string, cause?: unknown): KalamDBError {
  return new KalamDBError({ ...payload('engine_crashed', message), retryable: true }, cause);
}

/** The words of whatever was thrown. @internal */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message || error.name;
  return isErrorPayload(error) ? error.message : String(error);
}

/** Whatever was thrown, as data that can cross from the worker. @internal */
export function toPayload(error: unknown): ErrorPayload {
  if (isErrorPayload(error)) return error;
  if (!isKalamDBError(error)) return payload('internal_error', messageOf(error));
  const { code, sqlState, message, retryable, position, line, column, detail, hint, cause } = error;
  return {
    code,
    sqlState,
    message,
    retryable,
    ...(position === undefined ? {} : { position }),
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
    ...(detail === undefined ? {} : { detail }),
    ...(hint === undefined ? {} : { hint }),
    ...(cause instanceof Error ? { cause: { name: cause.name, message: cause.message } } : {}),
  };
}

/** Whatever was thrown, as the error that callers see. @internal */
export function toError(error: unknown): KalamDBError {
  return isKalamDBError(error) ? error : new KalamDBError(toPayload(error), error instanceof Error ? error : undefined);
}
