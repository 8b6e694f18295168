import { crashed, messageOf } from '../errors.js';

/** Compiles the module while it is being downloaded, where the server sends the right MIME type. */
export async function compile(url: string): Promise<WebAssembly.Module> {
  const response = await fetch(url).catch((error: unknown) => {
    throw unloadable(url, messageOf(error), error);
  });
  if (!response.ok) throw unloadable(url, `HTTP status ${response.status}`);
  const type = response.headers.get('Content-Type')?.split(';')[0]?.trim();
  try {
    // `await` so that a failure is caught here.
    if (type === 'application/wasm') return await WebAssembly.compileStreaming(response);
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch (error) {
    throw unloadable(url, `${messageOf(error)} (served as ${type ?? 'no type'})`, error);
  }
}

function unloadable(url: string, why: string, cause?: unknown): Error {
  return crashed(`the engine could not be loaded from ${url}: ${why}`, cause);
}
