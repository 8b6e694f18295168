import { runAttack } from '../support/attack.js';
import { test } from '../support/fixtures.js';

/** `E2E_TERMINATIONS=5000` takes longer. */
const TERMINATIONS = Number(process.env.E2E_TERMINATIONS ?? 60);

test(`three pages write at once while the worker of a fourth is terminated ${TERMINATIONS} times`, async ({
  profile,
  server,
}) => {
  test.setTimeout(5 * 60_000 + TERMINATIONS * 5_000);
  await runAttack(profile, server.attackUrl, { times: TERMINATIONS, ways: ['terminate'], maxDelay: 60, heavy: 8 });
});
