import { padded } from './layout.js';

/** A TextDecoder that keeps a byte order mark, which may be the first character of a value. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Reads the buffers of a message in order. Typed arrays are views of the message and are read at once. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  /** @param bytes - the message; views can be laid over it only from a multiple of 8, so others are copied */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
  }

  u32(): number {
    const value = this.#view.getUint32(this.#offset, true);
    this.#offset += 4;
    return value;
  }

  bytes(n: number): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#take(n), n);
  }

  u32s(n: number): Uint32Array {
    return new Uint32Array(this.#bytes.buffer, this.#take(n * 4), n);
  }

  i32s(n: number): Int32Array {
    return new Int32Array(this.#bytes.buffer, this.#take(n * 4), n);
  }

  f64s(n: number): Float64Array {
    return new Float64Array(this.#bytes.buffer, this.#take(n * 8), n);
  }

  i64s(n: number): BigInt64Array {
    return new BigInt64Array(this.#bytes.buffer, this.#take(n * 8), n);
  }

  u64s(n: number): BigUint64Array {
    return new BigUint64Array(this.#bytes.buffer, this.#take(n * 8), n);
  }

  text(n: number): string {
    return decoder.decode(this.bytes(n));
  }

  /** Moves behind `n` bytes and their padding; gives the offset in the buffer. */
  #take(n: number): number {
    const start = this.#offset;
    this.#offset = start + padded(n);
    return this.#bytes.byteOffset + start;
  }
}
