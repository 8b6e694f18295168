import { inlinePort } from './inline.js';
import { type AssetLocation, locate } from './locate.js';
import { Transport } from './transport.js';
import { workerPort } from './worker.js';

/** Starts an engine in the place that the options name. */
export async function startTransport(location: AssetLocation): Promise<Transport> {
  const { wasmUrl, workerUrl } = locate(location);
  return new Transport(location.worker ? workerPort(wasmUrl, workerUrl) : await inlinePort(wasmUrl));
}
