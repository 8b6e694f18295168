import { failure } from '../errors/errors.js';
import { type Columns, columnsOf } from './columns.js';
import { isFloats, jsonOf } from './json.js';
import { I64_MAX, I64_MIN, Kind } from './layout.js';
import type { Param, Rows } from './params.js';
import { requireWellFormed } from './text.js';
import { Writer } from './writer.js';

/** Room for text that is nearly ASCII, in bytes a UTF-16 unit; other text makes the buffer grow. */
const TEXT_SLACK = 1.25;

/** How an error names the value of a row: `parameter $1`, `row 5, column "name"`. */
type Where = (row: number) => string;

/** What one pass over a column found out. */
interface Shape {
  /** The kinds of values other than NULL; I32 stands for numbers. */
  kinds: Set<Kind>;
  hasNulls: boolean;
  /** Whether all numbers are integers of 32 bits, none of them -0. */
  allInt32: boolean;
  /** Whether some bigint needs more than 64 bits. */
  oversized: boolean;
  /** How long the strings are together, in UTF-16 units. */
  units: number;
}

/**
 * The block of the parameters of a statement; empty when there are none.
 *
 * @throws TypeError for a value that cannot be bound
 * @throws {@link KalamDBError} `character_not_in_repertoire`, `invalid_datetime_format`
 */
export function encodeParams(params: readonly Param[]): Uint8Array<ArrayBuffer> {
  if (params.length === 0) return new Uint8Array(0);
  const columns = params.map((value) => [isWideInteger(value) ? BigInt(value) : value]);
  return encodeBlock(1, columns, (c) => () => `parameter $${c + 1}`);
}

/** The names and the block of rows to insert. Throws what {@link columnsOf} and {@link encodeParams} throw. */
export function encodeRows(rows: Rows): { names: readonly string[]; rowCount: number; block: Uint8Array<ArrayBuffer> } {
  const { names, rowCount, columns }: Columns = columnsOf(rows);
  for (const name of names) requireWellFormed(name, 'a column name');
  const block = encodeBlock(rowCount, columns, (c) => (r) => `the value of row ${r}, column "${names[c]}"`);
  return { names, rowCount, block };
}

function encodeBlock(
  rowCount: number,
  columns: readonly unknown[][],
  where: (c: number) => Where,
): Uint8Array<ArrayBuffer> {
  const shapes = columns.map((values, c) => shapeOf(values, where(c)));
  const capacity = shapes.reduce((sum, shape) => sum + 64 + rowCount * 9 + shape.units * TEXT_SLACK, 64);
  return Writer.write(capacity, (writer) => {
    writer.u32(rowCount);
    writer.u32(columns.length);
    for (const [c, shape] of shapes.entries()) writeColumn(writer, columns[c] ?? [], shape, where(c));
  });
}

function shapeOf(values: readonly unknown[], where: Where): Shape {
  let booleans = false;
  let numbers = false;
  let strings = false;
  let hasNulls = false;
  let allInt32 = true;
  let oversized = false;
  let units = 0;
  const kinds = new Set<Kind>();
  for (let r = 0; r < values.length; r++) {
    const value = values[r];
    switch (typeof value) {
      case 'number':
        numbers = true;
        allInt32 &&= isInt32(value);
        break;
      case 'string':
        strings = true;
        units += value.length;
        break;
      case 'boolean':
        booleans = true;
        break;
      case 'undefined':
        hasNulls = true;
        break;
      case 'bigint':
        if (value < I64_MIN || value > I64_MAX) {
          oversized = true;
          strings = true;
        } else kinds.add(Kind.I64);
        break;
      case 'object':
        if (value === null) hasNulls = true;
        else kinds.add(objectKind(value, where, r));
        break;
      default:
        throw new TypeError(`${where(r)} is a ${typeof value}, which has no SQL form`);
    }
  }
  if (booleans) kinds.add(Kind.Bool);
  if (numbers) kinds.add(Kind.I32);
  if (strings) kinds.add(Kind.Str);
  return { kinds, hasNulls, allInt32, oversized, units };
}

function objectKind(value: object, where: Where, r: number): Kind {
  if (value instanceof Date) return Kind.DateMs;
  if (Array.isArray(value) || isFloats(value)) return Kind.Json;
  if (ArrayBuffer.isView(value)) return Kind.Bytes;
  // The tag is the same for objects of another realm, where instanceof would say no.
  switch (Object.prototype.toString.call(value)) {
    case '[object Object]':
      return Kind.Json;
    case '[object Date]':
      return Kind.DateMs;
    case '[object ArrayBuffer]':
    case '[object SharedArrayBuffer]':
      return Kind.Bytes;
    default:
      throw new TypeError(`${where(r)} is ${Object.prototype.toString.call(value)}, which has no SQL form`);
  }
}

function kindOf(value: unknown, numbers: Kind, where: Where, r: number): Kind {
  switch (typeof value) {
    case 'number':
      return numbers;
    case 'string':
      return Kind.Str;
    case 'boolean':
      return Kind.Bool;
    case 'bigint':
      return Kind.I64;
    default:
      return value === null || value === undefined ? Kind.Null : objectKind(value as object, where, r);
  }
}

function writeColumn(writer: Writer, values: readonly unknown[], shape: Shape, where: Where): void {
  const [only = Kind.Null, ...others] = shape.kinds;
  const numbers = shape.allInt32 ? Kind.I32 : Kind.F64;
  const stored = shape.oversized ? values.map(withoutOversized) : values;
  if (others.length > 0) {
    writeMixed(writer, stored, numbers, where);
    return;
  }
  const kind = only === Kind.I32 ? numbers : only;
  const hasNulls = shape.hasNulls && kind !== Kind.Null;
  writeHeader(writer, kind, hasNulls);
  if (hasNulls) {
    const nulls = writer.bytes(values.length);
    for (let r = 0; r < values.length; r++) nulls[r] = values[r] === null || values[r] === undefined ? 1 : 0;
  }
  writeValues(writer, kind, stored, where);
}

function writeMixed(writer: Writer, values: readonly unknown[], numbers: Kind, where: Where): void {
  writeHeader(writer, Kind.Mixed, false);
  const kinds = writer.bytes(values.length);
  const groups = new Map<Kind, { values: unknown[]; rows: number[] }>();
  for (const [r, value] of values.entries()) {
    const kind = kindOf(value, numbers, where, r);
    kinds[r] = kind;
    if (kind === Kind.Null) continue;
    let group = groups.get(kind);
    if (group === undefined) {
      group = { values: [], rows: [] };
      groups.set(kind, group);
    }
    group.values.push(value);
    group.rows.push(r);
  }
  writer.u32(groups.size);
  writer.u32(0);
  for (const [kind, group] of groups) {
    writer.u32(kind);
    writer.u32(group.values.length);
    writeHeader(writer, kind, false);
    writeValues(writer, kind, group.values, (i) => where(group.rows[i] ?? i));
  }
}

function writeHeader(writer: Writer, kind: Kind, hasNulls: boolean): void {
  writer.u32(kind | (hasNulls ? 0x100 : 0));
  writer.u32(0);
}

function writeValues(writer: Writer, kind: Kind, values: readonly unknown[], where: Where): void {
  switch (kind) {
    case Kind.Bool: {
      const out = writer.bytes(values.length);
      for (let r = 0; r < values.length; r++) out[r] = values[r] === true ? 1 : 0;
      break;
    }
    case Kind.I32: {
      const out = writer.i32s(values.length);
      for (let r = 0; r < values.length; r++) out[r] = (values[r] ?? 0) as number;
      break;
    }
    case Kind.F64: {
      const out = writer.f64s(values.length);
      for (let r = 0; r < values.length; r++) out[r] = (values[r] ?? 0) as number;
      break;
    }
    case Kind.I64: {
      const out = writer.i64s(values.length);
      for (let r = 0; r < values.length; r++) out[r] = (values[r] ?? 0n) as bigint;
      break;
    }
    case Kind.DateMs:
      writeDates(writer, values, where);
      break;
    case Kind.Str:
      writeStrings(writer, values as readonly (string | null | undefined)[], where);
      break;
    case Kind.Json:
      writeStrings(
        writer,
        values.map((value, r) => json(value, where, r)),
        where,
      );
      break;
    case Kind.Bytes:
      writeBytes(writer, values.map(bytesOf));
      break;
    default:
      break;
  }
}

function writeDates(writer: Writer, values: readonly unknown[], where: Where): void {
  const out = writer.f64s(values.length);
  for (let r = 0; r < values.length; r++) {
    const value = values[r];
    if (value === null || value === undefined) continue;
    const ms = (value as Date).getTime();
    if (Number.isNaN(ms)) throw failure('invalid_datetime_format', `${where(r)} is an invalid Date`);
    out[r] = ms;
  }
}

function writeStrings(writer: Writer, values: readonly (string | null | undefined)[], where: Where): void {
  const start = writer.offset;
  writer.u32(0);
  writer.u32(0);
  const lengths = writer.u32s(values.length);
  for (let r = 0; r < values.length; r++) lengths[r] = values[r]?.length ?? 0;
  const first = writer.offset;
  for (let r = 0; r < values.length; r++) {
    const value = values[r];
    if (typeof value === 'string' && !writer.utf8(value)) requireWellFormed(value, where(r));
  }
  writer.patchU32(start, writer.offset - first);
  writer.pad();
}

function writeBytes(writer: Writer, values: readonly Uint8Array[]): void {
  const total = values.reduce((sum, value) => sum + value.length, 0);
  writer.u32(total);
  writer.u32(0);
  const lengths = writer.u32s(values.length);
  for (const [r, value] of values.entries()) lengths[r] = value.length;
  const out = writer.bytes(total);
  let offset = 0;
  for (const value of values) {
    out.set(value, offset);
    offset += value.length;
  }
}

const NO_BYTES = new Uint8Array(0);

function bytesOf(value: unknown): Uint8Array {
  if (value === null || value === undefined) return NO_BYTES;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return new Uint8Array(value as ArrayBuffer);
}

/** JSON.stringify writes a lone surrogate as an escape: an odd number of backslashes, then `ud8` to `udf`. */
const ESCAPED_SURROGATE = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;

function json(value: unknown, where: Where, r: number): string | null {
  if (value === null || value === undefined) return null;
  const text = jsonOf(value);
  if (text === undefined) throw new TypeError(`${where(r)} has no JSON form`);
  if (text.includes('\\ud') && ESCAPED_SURROGATE.test(text))
    throw failure('character_not_in_repertoire', `${where(r)} contains a lone surrogate, which has no UTF-8 form`);
  return text;
}

/** The integers of more than 32 bits that a number holds exactly; -0 is not an integer here. */
function isWideInteger(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value !== 0 && !isInt32(value);
}

function isInt32(value: number): boolean {
  return (value | 0) === value && (value !== 0 || 1 / value > 0);
}

/** An integer that needs more than 64 bits travels as its digits. */
function withoutOversized(value: unknown): unknown {
  return typeof value === 'bigint' && (value < I64_MIN || value > I64_MAX) ? value.toString() : value;
}
