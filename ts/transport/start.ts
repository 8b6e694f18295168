import { InlineTransport } from './inline.js';
import { type AssetLocation, locate } from './locate.js';
import type { Transport } from './transport.js';
import { WorkerTransport } from './worker.js';

/** Starts an engine in the place that the options name. */
export async function startTransport(location: AssetLocation): Promise<Transport> {
  const { wasmUrl, workerUrl } = locate(location);
  return location.worker ? new WorkerTransport(wasmUrl, workerUrl) : InlineTransport.start(wasmUrl);
}
