import type { EngineEvent } from '../protocol/events.js';

type EventOf<K extends EngineEvent['kind']> = Extract<EngineEvent, { kind: K }>;

/** Hands each event of an engine to the listeners of its kind. */
export class EventDispatcher {
  readonly #listeners = new Map<EngineEvent['kind'], ((event: never) => void)[]>();

  /** Calls back for each event of a kind, after the listeners that were there before. */
  on<K extends EngineEvent['kind']>(kind: K, listener: (event: EventOf<K>) => void): void {
    this.#listeners.set(kind, [...(this.#listeners.get(kind) ?? []), listener]);
  }

  dispatch(event: EngineEvent): void {
    // The listeners of a kind take the events of that kind.
    for (const listener of this.#listeners.get(event.kind) ?? []) listener(event as never);
  }
}
