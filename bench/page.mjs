// Runs one visit of the benchmark in the page, and leaves its outcome as the promise `window.outcome`.
import { row, rows, someIds } from './data.mjs';

const { database, thread, settings, visit, count, singles, burst } = Object.fromEntries(
  new URL(location.href).searchParams,
);
const adapter = new URL(`${database}/adapter.js`, location.href).href;
const NAME = 'bench';
/** How long the first visit lasts after its work, in milliseconds. */
const STAY_MS = 4000;

/** The database behind the adapter, opened: in this page, or in a worker behind one message a call. */
async function open() {
  if (thread === 'page') return (await import(adapter)).open(NAME, JSON.parse(settings));
  const worker = new Worker(`worker.js?${new URLSearchParams({ adapter, settings })}`, { type: 'module' });
  const waiting = new Map();
  worker.onmessage = ({ data: { id, value, error } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(value);
    else reject(new Error(error));
  };
  worker.onerror = (event) => {
    for (const { reject } of waiting.values()) reject(new Error(event.message));
  };
  let calls = 0;
  const call = (method, ...args) =>
    new Promise((resolve, reject) => {
      calls += 1;
      waiting.set(calls, { resolve, reject });
      worker.postMessage({ id: calls, method, args });
    });
  await call('open', NAME);
  // A promise must not look like one more database, hence `then`.
  return new Proxy({}, { get: (_, method) => (method === 'then' ? undefined : (...args) => call(method, ...args)) });
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

async function timed(action) {
  const start = performance.now();
  const value = await action();
  return { ms: performance.now() - start, value };
}

/** The median time of `action` over `inputs`, and its answers. */
async function each(inputs, action) {
  const times = [];
  const values = [];
  for (const input of inputs) {
    const { ms, value } = await timed(() => action(input));
    times.push(ms);
    values.push(value);
  }
  return { ms: median(times), values };
}

const VISITS = {
  /** Fills a new database. */
  async load() {
    const all = rows(1, Number(count));
    const db = await open();
    await db.create();
    const { ms } = await timed(() => db.load(all));
    const stored = await db.count();
    // A visit lasts longer than its work: browsers keep compiled code for the next one only after some quiet seconds.
    await new Promise((resolve) => setTimeout(resolve, STAY_MS));
    await db.close();
    return { times: { bulkInsert: ms }, answers: { loaded: stored } };
  },

  /** Comes back: the first answer is timed from navigation on. */
  async work() {
    const db = await open();
    const reopened = await db.count();
    const reopen = performance.now();
    const points = await each(someIds(Number(count), 1000), (id) => db.point(id));
    const groups = await each([1, 2, 3, 4, 5], () => db.groups());
    const inserts = await each(rows(Number(count) + 1, Number(singles)), (item) => db.insert(item));
    const more = rows(Number(count) + Number(singles) + 1, Number(burst));
    const together = await timed(() => Promise.all(more.map((item) => db.insert(item))));
    const update = await timed(() => db.update());
    const remove = await timed(() => db.remove());
    const expected = someIds(Number(count), 1000).map(row);
    await db.close();
    return {
      times: {
        reopen,
        point: points.ms,
        insert: inserts.ms,
        insertMany: together.ms,
        groupBy: groups.ms,
        update: update.ms,
        delete: remove.ms,
      },
      answers: {
        reopened,
        pointsRight: JSON.stringify(points.values) === JSON.stringify(expected),
        groups: groups.values[0],
      },
    };
  },

  /** Comes back once more: what was acknowledged must be there. */
  async check() {
    const db = await open();
    const state = await db.state();
    await db.close();
    return { times: {}, answers: { state } };
  },
};

window.outcome = VISITS[visit]();
