// The rows of the benchmark and the right answers. The same rows come out in Node and in the page.

export const COLUMNS = ['id', 'user_id', 'title', 'amount', 'qty', 'created_at'];

const USERS = 1000;
const WORDS = 'ash birch cedar elm fir hazel larch linden maple oak pine poplar rowan spruce walnut willow'.split(' ');

/** 32 well mixed bits for an id; different for each `salt`. */
function bits(id, salt) {
  let x = Math.imul(id, 0x9e3779b1) ^ Math.imul(salt, 0x85ebca77);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
  return (x ^ (x >>> 15)) >>> 0;
}

/** The row with an id, as an array in the order of COLUMNS. Amounts are quarters, so that their sums are exact. */
export function row(id) {
  const words = bits(id, 1);
  const title = Array.from({ length: 6 }, (_, i) => WORDS[(words >>> (4 * i)) & 15]).join(' ');
  return [
    id,
    `user${bits(id, 2) % USERS}`,
    `${title} ${id}`,
    (bits(id, 3) % 400_000) / 4,
    bits(id, 4) % 1000,
    1_700_000_000_000 + id * 1000,
  ];
}

/** The rows with ids from `first` on. */
export function rows(first, count) {
  return Array.from({ length: count }, (_, i) => row(first + i));
}

/** Ids to look up, spread over all `count` rows. */
export function someIds(count, howMany) {
  return Array.from({ length: howMany }, (_, i) => 1 + (bits(i, 5) % count));
}

/** The ten users with the largest totals over rows 1 to `count`. */
export function expectedGroups(count) {
  const groups = new Map();
  for (const [, user_id, , amount] of rows(1, count)) {
    const group = groups.get(user_id) ?? { user_id, n: 0, total: 0 };
    group.n += 1;
    group.total += amount;
    groups.set(user_id, group);
  }
  return [...groups.values()].sort((a, b) => b.total - a.total || (a.user_id < b.user_id ? -1 : 1)).slice(0, 10);
}

/** What is left of rows 1 to `count` after the update (qty below 100: amount + 0.25) and the delete (qty 900 and more). */
export function expectedState(count) {
  const state = { n: 0, total: 0, qty: 0 };
  for (const [, , , amount, qty] of rows(1, count)) {
    if (qty >= 900) continue;
    state.n += 1;
    state.total += qty < 100 ? amount + 0.25 : amount;
    state.qty += qty;
  }
  return state;
}
