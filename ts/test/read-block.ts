import { Kind } from '../wire/layout.js';
import { Reader } from '../wire/reader.js';

/** Reads a block of parameters or rows as the engine does: each value with its kind. */
export interface Read {
  kind: string;
  values: unknown[];
}

const NAMES = new Map<number, string>(Object.entries(Kind).map(([name, kind]) => [kind, name]));

export function readBlock(block: Uint8Array): { rowCount: number; columns: Read[] } {
  const reader = new Reader(block);
  const rowCount = reader.u32();
  const width = reader.u32();
  return { rowCount, columns: Array.from({ length: width }, () => readColumn(reader, rowCount)) };
}

function readColumn(reader: Reader, n: number): Read {
  const start = reader.u32();
  reader.u32();
  const kind = start & 0xff;
  const nulls = (start & 0xff00) === 0 ? undefined : [...reader.bytes(n)];
  const values = kind === Kind.Mixed ? readMixed(reader, n) : readValues(reader, kind, n);
  return { kind: NAMES.get(kind) ?? 'unknown', values: values.map((value, i) => (nulls?.[i] === 1 ? null : value)) };
}

function readMixed(reader: Reader, n: number): unknown[] {
  const kinds = [...reader.bytes(n)];
  const groups = new Map<number, unknown[]>();
  const count = reader.u32();
  reader.u32();
  for (let g = 0; g < count; g++) {
    const kind = reader.u32();
    groups.set(kind, readColumn(reader, reader.u32()).values);
  }
  return kinds.map((kind) => (kind === Kind.Null ? null : [NAMES.get(kind), groups.get(kind)?.shift()]));
}

function readValues(reader: Reader, kind: number, n: number): unknown[] {
  switch (kind) {
    case Kind.Bool:
      return Array.from(reader.bytes(n), (bit) => bit === 1);
    case Kind.F64:
    case Kind.DateMs:
      return [...reader.f64s(n)];
    case Kind.I32:
      return [...reader.i32s(n)];
    case Kind.I64:
      return [...reader.i64s(n)];
    case Kind.Str:
    case Kind.Json:
    case Kind.Bytes: {
      const total = reader.u32();
      reader.u32();
      const lengths = [...reader.u32s(n)];
      const bytes = reader.bytes(total);
      const whole = kind === Kind.Bytes ? [...bytes] : new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
      let end = 0;
      return lengths.map((length) => {
        end += length;
        return whole.slice(end - length, end);
      });
    }
    default:
      return new Array<unknown>(n).fill(null);
  }
}
