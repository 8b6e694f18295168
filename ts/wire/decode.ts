import { failure } from '../errors/errors.js';
import type { Decoding } from './decoding.js';
import { Kind } from './layout.js';
import { Reader } from './reader.js';
import type { Field, Result, Value } from './result.js';
import { objectsOf, rowsOf } from './rows.js';
import { dateFromUs, epochMsFromUs, isoFromUs } from './timestamps.js';

/** The JSON at the head of a result. */
interface Header {
  command: string;
  rowCount: number;
  affectedRows: number | null;
  seq: number | null;
  tookMs: number;
  fields: Field[];
  asUser?: string | null;
}

/** Decodes a message with any number of results. */
export function decodeResults(message: Uint8Array, decoding: Decoding): Result<unknown>[] {
  const reader = new Reader(message);
  const count = reader.u32();
  reader.u32();
  const results: Result<unknown>[] = [];
  for (let i = 0; i < count; i++) results.push(decodeResult(reader, decoding));
  return results;
}

/** Whether the session that gave a message was then in a transaction begun by SQL text. */
export function isInTransaction(message: Uint8Array): boolean {
  return message[4] === 1;
}

function decodeResult(reader: Reader, decoding: Decoding): Result<unknown> {
  const headerBytes = reader.u32();
  reader.u32();
  const header = JSON.parse(reader.text(headerBytes)) as Header;
  const blocks = reader.u32();
  reader.u32();
  const rows: unknown[] = [];
  const names = header.fields.map((field) => field.name);
  for (let b = 0; b < blocks; b++) {
    const rowCount = reader.u32();
    reader.u32();
    const columns = header.fields.map((field) => decodeColumn(reader, rowCount, field.type, decoding));
    if (decoding.rowMode === 'array') rowsOf(columns, rowCount, rows);
    else objectsOf(names, columns, rowCount, rows);
  }
  return {
    rows,
    fields: header.fields,
    rowCount: header.rowCount,
    ...(header.affectedRows === null ? {} : { affectedRows: header.affectedRows }),
    command: header.command,
    tookMs: header.tookMs,
    ...(header.seq === null ? {} : { seq: header.seq }),
    ...(typeof header.asUser === 'string' ? { asUser: header.asUser } : {}),
  };
}

/** The values of a column. `type` is the SQL type of the field; the elements of arrays and structs go by its words. */
function decodeColumn(reader: Reader, n: number, type: string, decoding: Decoding): Value[] {
  const head = reader.u32();
  reader.u32();
  const kind = head & 0xff;
  const nulls = (head & 0xff00) === 0 ? null : reader.bytes(n);
  const values = decodeValues(reader, kind, n, type, decoding);
  if (nulls !== null) for (let i = 0; i < n; i++) if (nulls[i] === 1) values[i] = null;
  return values;
}

function decodeValues(reader: Reader, kind: number, n: number, type: string, decoding: Decoding): Value[] {
  switch (kind) {
    case Kind.Null:
      return new Array<Value>(n).fill(null);
    case Kind.Bool:
      return Array.from(reader.bytes(n), (bit) => bit === 1);
    case Kind.F64:
      return copy(reader.f64s(n));
    case Kind.I32:
      return copy(reader.i32s(n));
    case Kind.I64:
      return decodeIntegers(reader.i64s(n), decoding);
    case Kind.U64:
      return decodeIntegers(reader.u64s(n), decoding);
    case Kind.Str:
      return decodeStrings(reader, n);
    case Kind.Json:
      return decodeStrings(reader, n).map((text) => (text === '' ? null : (JSON.parse(text) as Value)));
    case Kind.Bytes:
      return decodeBytes(reader, n);
    case Kind.TsUs:
      return decodeTimestamps(reader.i64s(n), type, decoding);
    case Kind.List:
      return decodeLists(reader, n, type, decoding);
    case Kind.Struct:
      return decodeStructs(reader, n, type, decoding);
    default:
      throw failure('internal_error', `the engine sent a column of the unknown kind ${kind}`);
  }
}

/** A plain array of the numbers: assigning by index is several times faster than Array.from. */
function copy(numbers: Float64Array | Int32Array): Value[] {
  const values = new Array<Value>(numbers.length);
  for (let i = 0; i < numbers.length; i++) values[i] = numbers[i] as number;
  return values;
}

function decodeIntegers(integers: BigInt64Array | BigUint64Array, decoding: Decoding): Value[] {
  switch (decoding.int64) {
    case 'bigint':
      return Array.from(integers as Iterable<bigint>);
    case 'string':
      return Array.from(integers as Iterable<bigint>, String);
    case 'number':
      return Array.from(integers as Iterable<bigint>, Number);
    case 'auto':
      return numbersWhereExact(integers);
  }
}

const HIGH = 2 ** 32;

/** Reads the halves of each integer, so that no bigint is made for those that a number holds. */
function numbersWhereExact(integers: BigInt64Array | BigUint64Array): Value[] {
  const n = integers.length;
  const low = new Uint32Array(integers.buffer, integers.byteOffset, n * 2);
  const high = integers instanceof BigInt64Array ? new Int32Array(integers.buffer, integers.byteOffset, n * 2) : low;
  const values = new Array<Value>(n);
  for (let i = 0; i < n; i++) {
    const value = (high[i * 2 + 1] as number) * HIGH + (low[i * 2] as number);
    values[i] = Number.isSafeInteger(value) ? value : (integers[i] as bigint);
  }
  return values;
}

function decodeTimestamps(us: BigInt64Array, type: string, decoding: Decoding): Value[] {
  const instants = Array.from(us);
  switch (decoding.timestamps) {
    case 'date':
      return instants.map(dateFromUs);
    case 'epochMs':
      return instants.map(epochMsFromUs);
    case 'iso': {
      const zone = /TIMESTAMPTZ|WITH TIME ZONE/i.test(type) ? 'Z' : '';
      return instants.map((value) => isoFromUs(value) + zone);
    }
  }
}

/** Decodes all strings at once and cuts them apart: their lengths are in UTF-16 units. */
function decodeStrings(reader: Reader, n: number): string[] {
  const bytes = reader.u32();
  reader.u32();
  const lengths = reader.u32s(n);
  const text = reader.text(bytes);
  const values = new Array<string>(n);
  let start = 0;
  for (let i = 0; i < n; i++) {
    const end = start + (lengths[i] as number);
    values[i] = text.slice(start, end);
    start = end;
  }
  return values;
}

function decodeBytes(reader: Reader, n: number): Uint8Array[] {
  const total = reader.u32();
  reader.u32();
  const lengths = reader.u32s(n);
  const bytes = reader.bytes(total);
  let start = 0;
  return Array.from(lengths, (length) => {
    start += length;
    return bytes.slice(start - length, start);
  });
}

function decodeLists(reader: Reader, n: number, type: string, decoding: Decoding): Value[] {
  const lengths = reader.u32s(n);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const elements = decodeColumn(reader, total, type, decoding);
  let start = 0;
  return Array.from(lengths, (length) => {
    start += length;
    return elements.slice(start - length, start);
  });
}

function decodeStructs(reader: Reader, n: number, type: string, decoding: Decoding): Value[] {
  const count = reader.u32();
  reader.u32();
  const names: string[] = [];
  const columns: Value[][] = [];
  for (let f = 0; f < count; f++) {
    const nameBytes = reader.u32();
    reader.u32();
    names.push(reader.text(nameBytes));
    columns.push(decodeColumn(reader, n, type, decoding));
  }
  const objects: Value[] = [];
  objectsOf(names, columns, n, objects);
  return objects;
}
