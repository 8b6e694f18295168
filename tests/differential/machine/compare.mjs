// Compares what the two engines answered.

/** PostgreSQL's ids of the types whose texts are not compared as they are. */
const BOOL = 16;
const FLOATS = new Set([700, 701]);
const NUMERIC = 1700;
const JSONS = new Set([114, 3802]);
const FLOAT_ARRAYS = new Set([1021, 1022, 1231]);
const BOOL_ARRAY = 1000;
const TEXT = 25;
const INTERVAL = 1186;

/** What is the same number up to the order of a sum. */
const TOLERANCE = 1e-9;

function isNear(a, b, tolerance = TOLERANCE) {
  if (Object.is(a, b) || a === b) return true;
  return Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b), 1e-3);
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

/** A JSON text in one spelling; what is none stays as it is. */
function spelled(text) {
  try {
    return JSON.stringify(sorted(JSON.parse(text)));
  } catch {
    return text;
  }
}

/** JSON in a text has the spelling of the engine's JSON. */
const isJson = (text, type) => JSONS.has(type) || (type === TEXT && /^[[{]/.test(text));

const UNITS = { year: 360, mon: 30, day: 1 };

/** The length of an interval in microseconds, by which it sorts: `1 day` and `24:00:00` are peers. */
function lengthOf(text) {
  const [, sign, hours, minutes, seconds] = /(-?)(\d+):(\d+):([\d.]+)$/.exec(text) ?? [null, '', 0, 0, 0];
  const time = (Number(hours) * 3600 + Number(minutes) * 60) * 1e6 + Math.round(Number(seconds) * 1e6);
  const days = [...text.matchAll(/(-?\d+) (year|mon|day)/g)].map(([, count, unit]) => Number(count) * UNITS[unit]);
  return days.reduce((sum, count) => sum + count * 86_400e6, sign ? -time : time);
}

const numbers = (text) => text.replace(/[{}"]/g, '').split(',').map(Number);

/** Whether two texts are the same value of a type of PostgreSQL. */
export function isSame(ours, peer, type) {
  if (ours === peer) return true;
  if (ours === null || peer === null) return false;
  if (type === BOOL) return ours[0] === peer[0];
  if (FLOATS.has(type)) return isNear(Number(ours), Number(peer), type === 700 ? 1e-5 : TOLERANCE);
  if (type === NUMERIC) return isNear(Number(ours), Number(peer));
  if (isJson(peer, type)) return spelled(ours) === spelled(peer);
  if (type === BOOL_ARRAY) return ours.replaceAll('true', 't').replaceAll('false', 'f') === peer;
  if (FLOAT_ARRAYS.has(type)) {
    const [a, b] = [numbers(ours), numbers(peer)];
    return a.length === b.length && a.every((value, at) => isNear(value, b[at]));
  }
  return false;
}

/** A text by which rows are put into an order of their own: the same for values that are the same, mostly. */
function sortKey(text, type) {
  if (text === null) return '~';
  if (FLOATS.has(type) || type === NUMERIC) return Number(Number(text).toPrecision(6)).toString().replace(/^-0$/, '0');
  if (type === BOOL) return text[0];
  if (isJson(text, type)) return spelled(text);
  return text;
}

function arranged(rows, types) {
  const keyed = rows.map((row) => ({ row, key: JSON.stringify(row.map((text, at) => sortKey(text, types[at]))) }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ row }) => row);
}

/** Whether two keys of a row are in one place of an order. */
const isPeer = (ours, peer, type) =>
  type === INTERVAL && ours !== null && peer !== null ? lengthOf(ours) === lengthOf(peer) : isSame(ours, peer, type);

const areSame = (ours, peer, types, columns, isEqual = isSame) =>
  ours.every((row, at) => columns.every((column) => isEqual(row[column], peer[at][column], types[column])));

/**
 * The difference between two answers, or null: `{ kind, ours, peer }`. `keys` are the columns that the rows are ordered by.
 */
export function difference(ours, peer, keys = []) {
  if (ours.trap) return { kind: 'trap', detail: ours.error.message };
  if (ours.error && peer.error) return null;
  if (ours.error) return { kind: 'refused', detail: `${ours.error.code} ${ours.error.message}` };
  if (peer.error) return { kind: 'accepted', detail: `${peer.error.code} ${peer.error.message}` };
  if (ours.affected !== null && ours.affected !== peer.affected)
    return { kind: 'rows', detail: `${ours.affected} rows written instead of ${peer.affected}` };
  if (peer.columns.length === 0) return null;
  if (ours.columns.length !== peer.columns.length)
    return { kind: 'columns', detail: `${ours.columns.length} instead of ${peer.columns.length}` };
  if (ours.rows.length !== peer.rows.length)
    return { kind: 'rows', detail: `${ours.rows.length} rows instead of ${peer.rows.length}` };
  const types = peer.columns.map(({ type }) => type);
  const columns = types.map((_, at) => at);
  if (keys.length > 0 && !areSame(ours.rows, peer.rows, types, keys, isPeer))
    return { kind: 'order', detail: `by ${keys.map((key) => types[key])}` };
  const [a, b] = [arranged(ours.rows, types), arranged(peer.rows, types)];
  const wrong = columns.filter((column) => !areSame(a, b, types, [column]));
  return wrong.length > 0
    ? { kind: 'values', detail: `in columns of types ${wrong.map((column) => types[column])}` }
    : null;
}
