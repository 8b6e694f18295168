import type { Host } from '../engine/host.js';
import type { Instance } from '../engine/instance.js';
import { crashed, type KalamDBError, messageOf, toError } from '../errors/errors.js';
import type { Call, Replies } from '../protocol/calls.js';
import type { AskedCall } from '../protocol/messages.js';
import { Outbox } from '../protocol/outbox.js';
import { PendingCalls, type Port } from './pending.js';
import type { Transport } from './transport.js';

/** The engine in the calling thread. */
export class InlineTransport implements Transport {
  readonly #host: Host;
  readonly #pending = new PendingCalls();
  readonly #calls = new Outbox<AskedCall>((calls) => {
    const outcomes = this.#host.handleAll(calls);
    for (const [at, { id }] of calls.entries()) {
      outcomes[at]?.then(
        (value) => this.#pending.resolve(id, value),
        (error: unknown) => this.#pending.reject(id, toError(error)),
      );
    }
  });
  readonly #port: Port = {
    send: (asked) => this.#calls.add(asked),
    cancel: (id) => {
      this.#calls.flush();
      // Who asked hears of the engine's death by the answer to the call.
      this.#host.cancel(id).catch(() => undefined);
    },
  };
  readonly #unwatch: () => void;

  private constructor(host: Host, instance: Instance) {
    this.#host = host;
    this.#unwatch = instance.onDeath((error) => this.#pending.rejectAll(error));
  }

  static async start(wasmUrl: string): Promise<InlineTransport> {
    // Loaded on demand, because it is many times larger than the rest and most pages use the worker.
    const { startHost } = await import('../engine/start.js').catch((error: unknown) => {
      throw crashed(`the engine's script could not be loaded: ${messageOf(error)}`, error);
    });
    const { host, instance } = await startHost(wasmUrl);
    return new InlineTransport(host, instance);
  }

  get crash(): KalamDBError | undefined {
    return this.#pending.end;
  }

  call<C extends Call>(call: C, signal?: AbortSignal): Promise<Replies[C['kind']]> {
    return this.#pending.add(call, this.#port, signal);
  }

  dispose(): void {
    this.#unwatch();
    this.#pending.rejectAll(crashed('the engine was stopped'));
  }
}
