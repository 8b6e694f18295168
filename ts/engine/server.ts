import { toPayload } from '../errors/errors.js';
import type { CallResult } from '../protocol/calls.js';
import type { EngineEvent } from '../protocol/events.js';
import type { FromEngine, ToEngine } from '../protocol/messages.js';
import { Outbox } from '../protocol/outbox.js';
import { Host } from './host.js';
import type { Instance } from './instance.js';

/** The engine's end of the protocol, for one database: takes messages, and sends responses and events in one order. */
export class EngineServer {
  readonly #host: Host;
  readonly #outbox: Outbox<FromEngine>;
  readonly #unwatch: () => void;

  /** @param onFirstQuery - called once, when rows are first asked for */
  constructor(instance: Instance, send: (messages: FromEngine[]) => void, onFirstQuery = (): void => undefined) {
    this.#host = new Host(instance, onFirstQuery);
    this.#outbox = new Outbox(send);
    this.#unwatch = instance.onDeath((error) => {
      this.#host.stopBackground();
      this.#tell({ kind: 'crashed', error: toPayload(error) });
      // A dead thread may never come to its next microtask.
      this.#outbox.flush();
    });
  }

  receive(message: ToEngine): void {
    if (message.type === 'cancel') {
      // The response to the call tells of the engine's death.
      this.#host.cancel(message.id).catch(() => undefined);
      return;
    }
    const results = this.#host.handleAll(message.calls);
    for (const [at, { id }] of message.calls.entries()) void this.#respond(id, results[at]);
  }

  /** Sends no event any more. */
  dispose(): void {
    this.#unwatch();
  }

  #tell(event: EngineEvent): void {
    this.#outbox.add({ type: 'event', event });
  }

  async #respond(id: number, outcome: Promise<CallResult> | undefined): Promise<void> {
    try {
      const result = await outcome;
      this.#outbox.add({ type: 'done', id, result });
    } catch (error) {
      this.#outbox.add({ type: 'failed', id, error: toPayload(error) });
    }
  }
}
