import { runAttack } from '../support/attack.js';
import { test } from '../support/fixtures.js';

/** `E2E_TRAPS=5000` takes longer. */
const TRAPS = Number(process.env.E2E_TRAPS ?? 60);

test(`three pages write at once while the engine of a fourth traps ${TRAPS} times`, async ({ profile, server }) => {
  test.setTimeout(5 * 60_000 + TRAPS * 5_000);
  await runAttack(profile, server.attackUrl, {
    times: TRAPS,
    ways: ['crash', 'crash', 'crash', 'statement', 'terminate'],
    maxDelay: 5,
    heavy: 5,
  });
});
