// Runs worlds on a pair of engines of its own, and tells the main thread of each world what it found.

import { parentPort, workerData } from 'node:worker_threads';
import { render } from '../generator/nodes.mjs';
import { definitionsOf } from '../generator/schema.mjs';
import { knownAs } from '../known.mjs';
import { Engine } from './engine.mjs';
import { Pair } from './pair.mjs';
import { Peer } from './peer.mjs';
import { reachedBy } from './reach.mjs';
import { shrink, signature } from './shrink.mjs';
import { makeWorld } from './world.mjs';

const { program, shrinks } = workerData;
const pair = new Pair(new Engine(program), await Peer.open());
const seen = new Map();

/** A case that differs, as text. */
function described({ tables, query, withParameters, oracle, found }) {
  const { sql, parameters } = render(query, 'ours', withParameters);
  const carried = parameters.length > 0 ? ` -- parameters ${JSON.stringify(parameters.map(({ text }) => text))}` : '';
  const rows = (answer) =>
    answer.error
      ? `${answer.error.code} ${answer.error.message.split('\n')[0]}`
      : answer.rows
          .map((row) => row.join(' | '))
          .slice(0, 12)
          .join(' // ');
  return {
    setup: definitionsOf(tables).map((statement) => render(statement, 'ours').sql),
    sql: sql + carried + (oracle ? ` -- oracle ${JSON.stringify(oracle)}` : ''),
    kind: found.kind,
    signature: signature(found),
    ours: rows(found.answer),
    peer: rows(found.expected),
  };
}

async function run({ seed, count }) {
  const { cases } = makeWorld(seed, count);
  const tally = { ran: 0, failedInBoth: [], differences: [], reached: [] };
  const reached = new Set();
  for (const make of cases) {
    const made = make();
    const found = await pair.difference(made);
    tally.ran += 1;
    for (const name of reachedBy(render(made.query, 'ours').sql)) reached.add(name);
    if (pair.failedInBoth) tally.failedInBoth.push(pair.failedInBoth);
    if (found) tally.differences.push({ seed, ...(await examined(made, found)) });
    // Without its tables the world has no more to say.
    if (found?.isSetup) break;
  }
  tally.reached = [...reached];
  return tally;
}

/** A case that differs, made small if it is one of the first of its kind: that takes seconds. */
async function examined(made, found) {
  const known = knownAs({ ...found, sql: render(made.query, 'ours').sql })?.about;
  const kind = signature(found);
  const times = (seen.get(kind) ?? 0) + 1;
  seen.set(kind, times);
  const limit = found.kind === 'refused' || found.kind === 'accepted' ? 1 : 12;
  const isSmall = shrinks && !known && times <= limit;
  const small = isSmall ? await shrink(made, found, (other) => pair.difference(other)) : { ...made, found };
  return { known, isSmall, ...described(small) };
}

parentPort.on('message', async (task) => {
  if (task === 'end') {
    pair.engine.close();
    await pair.peer.close();
    parentPort.close();
  } else {
    parentPort.postMessage(await run(task));
  }
});
parentPort.postMessage(null);
