import type { ErrorPayload } from '../errors/errors.js';

/** What an engine tells without being asked: a kind for each subject. */
export type EngineEvent =
  /** The engine is dead. It answers no call any more, and tells nothing after this. */
  { kind: 'crashed'; error: ErrorPayload };
