import { crashed, messageOf, toPayload } from '../errors/errors.js';
import { type CallRequest, type FromEngine, MIN_TRANSFER_BYTES, type ToWorker } from '../protocol/messages.js';
import { locationHint } from './locate.js';
import type { OpenPort } from './port.js';

/** Whether a worker of this page compiles common code ahead. It does so for all workers of the page. */
let isWarm = false;

/**
 * Starts an engine in a worker of its own.
 *
 * @param workerUrl - where the worker's script is; undefined for beside this module
 */
export function workerPort(wasmUrl: string, workerUrl: string | undefined): OpenPort {
  return (receive) => {
    const worker = startWorker(workerUrl);
    const script = workerUrl ?? `kalamdb-worker.js beside ${import.meta.url}`;
    const post = (message: ToWorker): void => worker.postMessage(message, transferOf(message));
    const die = (message: string): void =>
      receive([{ type: 'event', event: { kind: 'crashed', error: toPayload(crashed(message)) } }]);
    // Until the worker has sent anything, an error means that its script did not load.
    let hasSent = false;
    worker.onmessage = ({ data }: MessageEvent<FromEngine[]>) => {
      hasSent = true;
      receive(data);
    };
    worker.onmessageerror = () => die('the engine sent a message that cannot be read');
    worker.onerror = (event) => {
      event.preventDefault();
      die(hasSent ? `the engine stopped working: ${event.message}` : unstartable(script, event));
    };
    post({ type: 'start', wasmUrl, warmsUp: !isWarm });
    isWarm = true;
    return { post, close: () => worker.terminate() };
  };
}

function unstartable(script: string, event: ErrorEvent): string {
  const why = event.message ? `: ${event.message}` : '';
  return `the worker could not be started from ${script}${why}${locationHint(import.meta.url)}`;
}

function startWorker(url: string | undefined): Worker {
  try {
    // Bundlers look for exactly this expression.
    if (url === undefined) return new Worker(new URL('./kalamdb-worker.js', import.meta.url), { type: 'module' });
    return new Worker(url, { type: 'module' });
  } catch (error) {
    if (!(error instanceof DOMException && error.name === 'SecurityError'))
      throw crashed(`the worker could not be started: ${messageOf(error)}`, error);
    return startForeignWorker(url ?? beside('kalamdb-worker.js'));
  }
}

/** A worker must come from the page's own origin, but may import from others, such as a CDN. */
function startForeignWorker(url: string): Worker {
  const script = new Blob([`import ${JSON.stringify(url)};`], { type: 'text/javascript' });
  return new Worker(URL.createObjectURL(script), { type: 'module' });
}

/** A function, because bundlers would take the expression itself for an asset to copy. */
function beside(file: string): string {
  return new URL(file, import.meta.url).href;
}

function transferOf(message: ToWorker): Transferable[] {
  return message.type === 'calls' ? message.calls.flatMap(transferOfCall) : [];
}

function transferOfCall({ call }: CallRequest): Transferable[] {
  switch (call.kind) {
    case 'query':
    case 'stream':
      return call.params.byteLength < MIN_TRANSFER_BYTES ? [] : [call.params.buffer];
    case 'insert':
      return call.block.byteLength < MIN_TRANSFER_BYTES ? [] : [call.block.buffer];
    default:
      return [];
  }
}
