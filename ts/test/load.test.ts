import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { compile } from '../engine/load.js';

const URL = 'http://localhost/kalamdb.wasm';
/** A module without anything in it but its name, which is 4 bytes after the header. */
const MODULE = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0, 2, 1, 0x61]);
const WASM = { 'Content-Type': 'application/wasm' };

const fetched = vi.fn<(url: string, options?: RequestInit) => Promise<Response>>();
beforeEach(() => vi.stubGlobal('fetch', fetched));
afterEach(() => {
  fetched.mockReset();
  vi.unstubAllGlobals();
});

/** Answers one request after the other; the last answer is given to all that follow. */
function serve(...answers: (() => Response)[]): void {
  fetched.mockImplementation(async () => {
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer === undefined) throw new TypeError('nobody is there');
    return answer();
  });
}

const whole = (): Response => new Response(MODULE, { headers: WASM });
const wrong = (): Response => new Response('<!doctype html>', { headers: WASM });

/** The connection breaks in the middle of the body. */
function broken(headers: HeadersInit = WASM) {
  return (): Response => {
    const chunks = [MODULE.subarray(0, 9)];
    const body = new ReadableStream({
      pull(controller) {
        const chunk = chunks.shift();
        if (chunk === undefined) controller.error(new TypeError('network error'));
        else controller.enqueue(chunk);
      },
    });
    return new Response(body, { headers });
  };
}

/** The body ends in the middle as if that were its end. */
function short(headers: Record<string, string> = {}) {
  return (): Response => new Response(MODULE.subarray(0, 9), { headers: { ...WASM, ...headers } });
}

const LENGTH = { 'Content-Length': String(MODULE.length) };

test('a module that comes is asked for once', async () => {
  serve(whole);
  expect(await compile(URL)).toBeInstanceOf(WebAssembly.Module);
  expect(fetched).toHaveBeenCalledTimes(1);
});

test.each([
  ['breaks', broken()],
  ['breaks, served with the wrong type', broken({ 'Content-Type': 'text/plain' })],
  ['ends too early', short()],
  ['ends too early, served with the wrong type', short({ ...LENGTH, 'Content-Type': 'text/plain' })],
])('a body that %s is asked for again, past the cache', async (_, cutOff) => {
  serve(cutOff, whole);
  expect(await compile(URL)).toBeInstanceOf(WebAssembly.Module);
  expect(fetched.mock.calls).toEqual([
    [URL, {}],
    [URL, { cache: 'reload' }],
  ]);
});

test.each([
  ['breaks', broken(), 'network error'],
  ['ends before its length', short(LENGTH), 'only 9 of 12 bytes'],
])('a body that always %s is asked for three times', async (_, cutOff, why) => {
  serve(cutOff, cutOff, whole);
  expect(await compile(URL)).toBeInstanceOf(WebAssembly.Module);
  serve(cutOff);
  await expect(compile(URL)).rejects.toMatchObject({
    code: 'engine_crashed',
    retryable: true,
    message: expect.stringContaining(why),
  });
  expect(fetched).toHaveBeenCalledTimes(6);
});

test('what is wrong as a whole is looked at once more, and not again', async () => {
  serve(wrong);
  await expect(compile(URL)).rejects.toMatchObject({ message: expect.stringContaining('magic') });
  expect(fetched).toHaveBeenCalledTimes(2);
});

test.each([
  ['is not there', () => new Response('', { status: 404 }), 'HTTP status 404'],
  ['has the wrong type and is something else', () => new Response('<!doctype html>'), 'served as text/plain'],
])('a module that %s is asked for once', async (_, answer, why) => {
  serve(answer);
  await expect(compile(URL)).rejects.toMatchObject({ message: expect.stringContaining(why) });
  expect(fetched).toHaveBeenCalledTimes(1);
});

test('a request that is refused is not made again', async () => {
  serve();
  await expect(compile(URL)).rejects.toMatchObject({ message: expect.stringContaining('nobody is there') });
  expect(fetched).toHaveBeenCalledTimes(1);
});

test('where the page may not compile anything nothing is asked for again', async () => {
  function refuse(): never {
    throw new WebAssembly.CompileError('violates the Content Security Policy');
  }
  const { CompileError } = WebAssembly;
  vi.stubGlobal('WebAssembly', { CompileError, Module: refuse, compileStreaming: async () => refuse() });
  serve(whole);
  await expect(compile(URL)).rejects.toMatchObject({ message: expect.stringContaining('Security') });
  expect(fetched).toHaveBeenCalledTimes(1);
});
