import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WarmUp } from '../engine/warm-up.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Has so many steps; counts those that were done. */
function engineOf(nSteps: number): { warmUp(): Promise<boolean>; nDone: number } {
  return {
    nDone: 0,
    async warmUp() {
      this.nDone += 1;
      return this.nDone < nSteps;
    },
  };
}

test('one step is done at a time, until there are no more', async () => {
  const engine = engineOf(3);
  new WarmUp(engine);
  expect(engine.nDone).toBe(0);
  await vi.advanceTimersByTimeAsync(100);
  expect(engine.nDone).toBe(1);
  await vi.advanceTimersByTimeAsync(1000);
  expect(engine.nDone).toBe(3);
  expect(vi.getTimerCount()).toBe(0);
});

test('no step is done soon after a call', async () => {
  const engine = engineOf(3);
  const warmUp = new WarmUp(engine);
  for (let at = 0; at < 20; at += 1) {
    warmUp.called();
    await vi.advanceTimersByTimeAsync(60);
  }
  expect(engine.nDone).toBe(0);
  await vi.advanceTimersByTimeAsync(200);
  expect(engine.nDone).toBeGreaterThan(0);
});

test('no step begins while another one is under way, nor after the end', async () => {
  let finish: (hasMore: boolean) => void = () => undefined;
  const warmUpOfEngine = vi.fn(() => new Promise<boolean>((resolve) => (finish = resolve)));
  const warmUp = new WarmUp({ warmUp: warmUpOfEngine });
  await vi.advanceTimersByTimeAsync(500);
  expect(warmUpOfEngine).toHaveBeenCalledTimes(1);
  const stopped = warmUp.stop();
  finish(true);
  await stopped;
  await vi.advanceTimersByTimeAsync(500);
  expect(warmUpOfEngine).toHaveBeenCalledTimes(1);
  expect(vi.getTimerCount()).toBe(0);
});
