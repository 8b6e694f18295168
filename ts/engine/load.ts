import { crashed, messageOf } from '../errors/errors.js';

/** So often the module is asked for when its body keeps being cut off. */
const MAX_TRIES = 3;

/** What every module begins with is a module by itself. */
const EMPTY_MODULE = new Uint8Array([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);

/**
 * Downloads and compiles the module; again, past the HTTP cache, if its body was cut off. Whatever else goes wrong would
 * do so the next time too.
 */
export async function compile(url: string): Promise<WebAssembly.Module> {
  for (let tries = 1; ; tries += 1) {
    const response = await request(url, tries === 1 ? {} : { cache: 'reload' });
    const type = response.headers.get('Content-Type')?.split(';')[0]?.trim();
    // A stream does not tell whether bytes were missing or wrong, so the later tries look at all of them.
    const isStreamed = tries === 1 && type === 'application/wasm';
    try {
      // While it is being downloaded, if it can be. `await` so that a failure is caught here.
      if (isStreamed) return await WebAssembly.compileStreaming(response);
      return await WebAssembly.compile(await wholeBody(response));
    } catch (error) {
      if (tries < MAX_TRIES && mayBeCutOff(error, isStreamed)) continue;
      throw unloadable(url, `${messageOf(error)} (served as ${type ?? 'no type'})`, error);
    }
  }
}

async function request(url: string, options: RequestInit): Promise<Response> {
  const response = await fetch(url, options).catch((error: unknown) => {
    throw unloadable(url, messageOf(error), error);
  });
  if (!response.ok) throw unloadable(url, `HTTP status ${response.status}`);
  return response;
}

/** The bytes of a response. Not every browser finds out by itself that some are missing. */
async function wholeBody(response: Response): Promise<ArrayBuffer> {
  const bytes = await response.arrayBuffer();
  // The length is that of what the encoding has made of them.
  const length = response.headers.has('Content-Encoding') ? 0 : Number(response.headers.get('Content-Length'));
  if (bytes.byteLength < length) throw new TypeError(`only ${bytes.byteLength} of ${length} bytes have come`);
  return bytes;
}

/** Whether it may have failed because bytes are missing. */
function mayBeCutOff(error: unknown, isStreamed: boolean): boolean {
  if (error instanceof WebAssembly.CompileError) return isStreamed && mayCompile();
  return !(error instanceof RangeError);
}

/** Whether the page's Content-Security-Policy lets modules be compiled. */
function mayCompile(): boolean {
  try {
    new WebAssembly.Module(EMPTY_MODULE);
    return true;
  } catch {
    return false;
  }
}

function unloadable(url: string, why: string, cause?: unknown): Error {
  return crashed(`the engine could not be loaded from ${url}: ${why}`, cause);
}
