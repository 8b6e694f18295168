/** How deep arrays may nest; what goes deeper holds itself. */
const MAX_DEPTH = 100;

/** Arrays of floats, which travel as arrays of numbers do. */
export function isFloats(value: unknown): value is Float32Array | Float64Array {
  return value instanceof Float32Array || value instanceof Float64Array;
}

/**
 * The JSON text of a value, `undefined` if it has none.
 *
 * Arrays may be meant for an array column, so that their elements keep what JSON.stringify drops: bigints are numbers
 * with all their digits, -0 keeps its sign, NaN and the infinities are the strings of their names, bytes are the strings
 * that BYTEA reads. Objects are what JSON.stringify makes of them, but for bigints, which it refuses.
 *
 * @throws TypeError for what JSON.stringify refuses, and for arrays that nest too deep
 */
export function jsonOf(value: unknown, depth = 0): string | undefined {
  if (!Array.isArray(value) && !isFloats(value)) return objectJson(value);
  if (depth > MAX_DEPTH) throw new TypeError('an array nests too deep');
  let text = '[';
  for (let i = 0; i < value.length; i++) {
    if (i > 0) text += ',';
    text += elementOf(value[i], depth);
  }
  return `${text}]`;
}

function objectJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value) as string | undefined;
  } catch (error) {
    // Only what holds a bigint is worth a second look: what holds itself would be refused again.
    const bigints: string[] = [];
    const mark = `\u0000${Math.random()}:`;
    const text = JSON.stringify(value, (_, inner: unknown) => {
      if (typeof inner !== 'bigint') return inner;
      bigints.push(inner.toString());
      return `${mark}${bigints.length - 1}`;
    }) as string | undefined;
    if (bigints.length === 0) throw error;
    const quoted = JSON.stringify(mark).slice(0, -1);
    return text
      ?.split(quoted)
      .map((part, i) => (i === 0 ? part : withDigits(part, bigints)))
      .join('');
  }
}

/** Puts a bigint in the place of its mark, of which the number and the closing quote are left. */
function withDigits(part: string, bigints: readonly string[]): string {
  const end = part.indexOf('"');
  return `${bigints[Number(part.slice(0, end))]}${part.slice(end + 1)}`;
}

function elementOf(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'number':
      if (!Number.isFinite(value)) return `"${value}"`;
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
      return value.toString();
    default:
      if (value instanceof Uint8Array) return bytes(value);
      return jsonOf(value, depth + 1) ?? 'null';
  }
}

function bytes(value: Uint8Array): string {
  let text = '"\\\\x';
  for (const byte of value) text += byte.toString(16).padStart(2, '0');
  return `${text}"`;
}
