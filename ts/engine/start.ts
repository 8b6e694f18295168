import { makeBindings } from 'kalamdb:bindings';
import { Host } from './host.js';
import { Instance } from './instance.js';
import { compile } from './load.js';

/** The instances of this thread, by the URL of the module; each serves any number of databases. */
const instances = new Map<string, Instance>();

/** A place for one database in this thread's instance, which is started when there is none or it died. */
export async function startHost(wasmUrl: string): Promise<{ host: Host; instance: Instance }> {
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
  return { host: new Host(instance), instance };
}
