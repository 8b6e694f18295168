import type { SessionChannel } from '../client/session-channel.js';
import { Client } from './client.js';
import type { Defaults, Role } from './options.js';

/**
 * A session of one user, made by {@link KalamDB.session}. In USER tables it reads and writes the rows of its user and
 * no others. It has a current namespace of its own.
 */
export class Session extends Client {
  /** The user's id. */
  readonly userId: string;
  /** What the session may do. */
  readonly role: Role;

  /** @internal */
  constructor(channel: SessionChannel, defaults: Defaults, userId: string, role: Role) {
    super(channel, defaults);
    this.userId = userId;
    this.role = role;
  }

  /** Waits for the calls in flight and ends the session; later calls reject with `database_closed`. */
  close(): Promise<void> {
    return this.channel.close();
  }
}
