// One run: a new Chromium profile, three visits to the page, the answers compared with the right ones.
import { isDeepStrictEqual } from 'node:util';
import { withPage, withProfile } from './chromium.mjs';
import { expectedGroups, expectedState } from './data.mjs';

const VISIT_TIMEOUT_MS = 180_000;

/** Runs the workload once on one database; gives its times in milliseconds and what was wrong. */
export function runOnce(url, database, size) {
  return withProfile((profile) => withPage(profile, (page) => visits(page, url, database, size)));
}

async function visits(page, url, { name, thread, settings }, { rows, singles, burst }) {
  page.setDefaultTimeout(VISIT_TIMEOUT_MS);
  const times = {};
  const answers = {};
  for (const visit of ['load', 'work', 'check']) {
    const query = new URLSearchParams({
      database: name,
      thread,
      settings: JSON.stringify(settings),
      visit,
      count: rows,
      singles,
      burst,
    });
    await page.goto(`${url}?${query}`);
    const outcome = await within(
      page.evaluate(() => window.outcome),
      visit,
    );
    Object.assign(times, outcome.times);
    Object.assign(answers, outcome.answers);
    await page.goto('about:blank');
  }
  const right = {
    loaded: rows,
    reopened: rows,
    pointsRight: true,
    groups: expectedGroups(rows),
    state: expectedState(rows + singles + burst),
  };
  return { times, wrong: Object.keys(right).filter((key) => !isDeepStrictEqual(answers[key], right[key])), answers };
}

function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what}: no answer within ${VISIT_TIMEOUT_MS / 1000} s`)),
      VISIT_TIMEOUT_MS,
    );
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
