import type { FromEngine, ToEngine } from '../protocol/messages.js';

/** Carries messages to an engine. */
export interface Port {
  post(message: ToEngine): void;
  /** Lets go of the engine. The port carries nothing any more. */
  close(): void;
}

/** Makes a port. `receive` is given what the engine sends; also the news of its death, if it can send nothing itself. */
export type OpenPort = (receive: (messages: FromEngine[]) => void) => Port;
