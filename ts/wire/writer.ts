import { padded } from './layout.js';
import { isWellFormed } from './text.js';

const encoder = new TextEncoder();

/** Up to this many UTF-16 units a loop is faster than TextEncoder. */
const SHORT_TEXT = 64;

/** The largest number of UTF-8 bytes that one UTF-16 unit becomes. */
const MAX_BYTES_PER_UNIT = 3;

/** A buffer for one short writer at a time: a buffer of its own costs more than writing and copying that much. */
const shared: Uint8Array<ArrayBuffer> = new Uint8Array(4096);
const sharedView: DataView<ArrayBuffer> = new DataView(shared.buffer);
let isTaken = false;

/** A growing buffer. `offset` is where the next write goes and is a multiple of 8 between buffers. */
export class Writer {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;
  offset = 0;

  private constructor(capacity: number) {
    // While values are read the application's code may run, and write something of its own.
    const isShared = !isTaken && capacity <= shared.length;
    this.#bytes = isShared ? shared : new Uint8Array(padded(capacity));
    this.#view = isShared ? sharedView : new DataView(this.#bytes.buffer);
    if (!isShared) return;
    isTaken = true;
    shared.fill(0);
  }

  /** Runs `write` with a new writer and gives what it has written. The array belongs to nobody else, so it can be transferred. */
  static write(capacity: number, write: (writer: Writer) => void): Uint8Array<ArrayBuffer> {
    const writer = new Writer(capacity);
    const isShared = writer.#bytes === shared;
    try {
      write(writer);
      return writer.#bytes === shared ? shared.slice(0, writer.offset) : writer.#bytes.subarray(0, writer.offset);
    } finally {
      if (isShared) isTaken = false;
    }
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#view.setUint8(this.offset, value);
    this.offset += 1;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.offset, value, true);
    this.offset += 4;
  }

  /** Writes a number over one that was written before. */
  patchU32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true);
  }

  /** Room for `n` values in one padded buffer; the offset is moved behind it. Valid until the next write. */
  bytes(n: number): Uint8Array<ArrayBuffer> {
    const start = this.#take(n);
    return new Uint8Array(this.#bytes.buffer, start, n);
  }

  u32s(n: number): Uint32Array<ArrayBuffer> {
    const start = this.#take(n * 4);
    return new Uint32Array(this.#bytes.buffer, start, n);
  }

  i32s(n: number): Int32Array<ArrayBuffer> {
    const start = this.#take(n * 4);
    return new Int32Array(this.#bytes.buffer, start, n);
  }

  f64s(n: number): Float64Array<ArrayBuffer> {
    const start = this.#take(n * 8);
    return new Float64Array(this.#bytes.buffer, start, n);
  }

  i64s(n: number): BigInt64Array<ArrayBuffer> {
    const start = this.#take(n * 8);
    return new BigInt64Array(this.#bytes.buffer, start, n);
  }

  /**
   * Writes a string as UTF-8 without padding. Short ones are encoded here, because a call of the platform's
   * encoder costs more than their characters.
   *
   * @returns false when the string has a lone surrogate and thus no UTF-8 form
   */
  utf8(text: string): boolean {
    this.#reserve(text.length * MAX_BYTES_PER_UNIT);
    if (text.length > SHORT_TEXT) {
      this.offset += encoder.encodeInto(text, this.#bytes.subarray(this.offset)).written;
      return isWellFormed(text);
    }
    const bytes = this.#bytes;
    let offset = this.offset;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit < 0x80) bytes[offset++] = unit;
      else if (unit < 0x800) {
        bytes[offset++] = 0xc0 | (unit >> 6);
        bytes[offset++] = 0x80 | (unit & 0x3f);
      } else if ((unit & 0xf800) !== 0xd800) {
        bytes[offset++] = 0xe0 | (unit >> 12);
        bytes[offset++] = 0x80 | ((unit >> 6) & 0x3f);
        bytes[offset++] = 0x80 | (unit & 0x3f);
      } else {
        const next = text.charCodeAt(++i);
        // A high surrogate must come first and a low one second; charCodeAt gives NaN behind the end.
        if (unit >= 0xdc00 || (next & 0xfc00) !== 0xdc00) return false;
        const point = 0x10000 + ((unit & 0x3ff) << 10) + (next & 0x3ff);
        bytes[offset++] = 0xf0 | (point >> 18);
        bytes[offset++] = 0x80 | ((point >> 12) & 0x3f);
        bytes[offset++] = 0x80 | ((point >> 6) & 0x3f);
        bytes[offset++] = 0x80 | (point & 0x3f);
      }
    }
    this.offset = offset;
    return true;
  }

  pad(): void {
    this.#take(padded(this.offset) - this.offset);
  }

  #take(n: number): number {
    const start = this.offset;
    const end = padded(start + n);
    this.#reserve(end - start);
    this.offset = end;
    return start;
  }

  #reserve(n: number): void {
    const needed = this.offset + n;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(padded(Math.max(needed, this.#bytes.length * 2)));
    grown.set(this.#bytes.subarray(0, this.offset));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
