import { makeBindings } from 'kalamdb:bindings';
import type { FromEngine } from '../protocol/messages.js';
import { Instance } from './instance.js';
import { compile } from './load.js';
import { EngineServer } from './server.js';

/** The instances of this thread, by the URL of the module; each serves any number of databases. */
const instances = new Map<string, Instance>();

/**
 * This thread's instance, which is started when there is none or it died. Gives what makes a place for one database in it.
 */
export async function startEngine(wasmUrl: string): Promise<(send: (messages: FromEngine[]) => void) => EngineServer> {
  let instance = instances.get(wasmUrl);
  if (instance === undefined || instance.dead) {
    instance = new Instance(makeBindings, compile(wasmUrl));
    instances.set(wasmUrl, instance);
  }
  try {
    await instance.ready();
  } catch (error) {
    // What could not be loaded is asked for again the next time.
    if (instances.get(wasmUrl) === instance) instances.delete(wasmUrl);
    throw error;
  }
  const started = instance;
  return (send) => new EngineServer(started, send);
}
