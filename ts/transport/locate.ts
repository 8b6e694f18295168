/** Location options that have been checked; absent URLs are beside the main module. @internal */
export interface AssetLocation {
  worker: boolean;
  wasmUrl: string | undefined;
  workerUrl: string | undefined;
}

/** Where the other files of the package are. */
export interface Files {
  wasmUrl: string;
  /** Undefined for beside the main module, where bundlers find it by themselves. */
  workerUrl: string | undefined;
}

/** Finds the files. This happens in the main module and not in the worker, because bundlers rename both. */
export function locate({ wasmUrl, workerUrl }: AssetLocation): Files {
  const beside = new URL('./kalamdb.wasm', import.meta.url).href;
  const folder = originalFolder(beside);
  if (folder === undefined) return { wasmUrl: wasmUrl ?? beside, workerUrl };
  return { wasmUrl: wasmUrl ?? `${folder}kalamdb.wasm`, workerUrl: workerUrl ?? `${folder}kalamdb-worker.js` };
}

/**
 * The folder of the package when Vite, before version 8, has moved the main module to its cache: while developing it
 * does so with every dependency, and leaves the files beside the module where they were.
 *
 * @param beside - where a file beside the main module seems to be
 */
export function originalFolder(beside: string): string | undefined {
  const [, before] = /^(.*\/)\.vite\/deps[^/]*\//.exec(beside) ?? [];
  return before === undefined ? undefined : `${before}kalamdb/`;
}

/** What to do when a file was not found after all. */
export function locationHint(url: string): string {
  return originalFolder(url) === undefined ? '' : `; add 'kalamdb' to optimizeDeps.exclude in Vite's configuration`;
}
