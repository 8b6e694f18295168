import { crashed, messageOf } from '../errors/errors.js';
import type { OpenPort } from './port.js';

/** Starts an engine in the calling thread. */
export async function inlinePort(wasmUrl: string): Promise<OpenPort> {
  // Loaded on demand, because it is many times larger than the rest and most pages use the worker.
  const { startEngine } = await import('../engine/start.js').catch((error: unknown) => {
    throw crashed(`the engine's script could not be loaded: ${messageOf(error)}`, error);
  });
  const serve = await startEngine(wasmUrl);
  return (receive) => {
    const server = serve(receive);
    return { post: (message) => server.receive(message), close: () => server.dispose() };
  };
}
