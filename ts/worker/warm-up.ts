import { makeBindings } from 'kalamdb:bindings';
import { Instance } from '../engine/instance.js';
import type { ToWorker } from '../protocol/messages.js';

/** So long after the first query, in milliseconds: it has all cores for itself. */
const DELAY_MS = 50;

/**
 * Has another thread run common statements: what the browser compiles for that, the module of this thread has as well. Nobody waits
 * for it, and it is no failure if it cannot be done.
 */
export async function startWarmUp(module: Promise<WebAssembly.Module>): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, DELAY_MS));
  try {
    const worker = new Worker(self.location.href, { type: 'module', name: 'kalamdb warm-up' });
    worker.onerror = (event) => event.preventDefault();
    worker.postMessage({ type: 'warmUp', module: await module } satisfies ToWorker);
  } catch {
    // The first statements compile their code themselves.
  }
}

/** Runs common statements on an instance of this thread. */
export async function warmUp(module: WebAssembly.Module): Promise<void> {
  const bindings = await new Instance(makeBindings, Promise.resolve(module)).ready();
  await bindings.warmUp();
}
