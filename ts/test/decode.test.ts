import { describe, expect, test } from 'vitest';
import { decodeResults } from '../wire/decode.js';
import type { Decoding } from '../wire/decoding.js';
import { Kind } from '../wire/layout.js';
import type { Writer } from '../wire/writer.js';
import { head, message, strings, type TestColumn } from './message.js';

const PLAIN: Decoding = { rowMode: 'array', int64: 'auto', timestamps: 'date' };

/** Decodes a column of a result and gives its values. */
function decodeColumn(rowCount: number, write: (writer: Writer) => void, type = 'X', decoding: Partial<Decoding> = {}) {
  const bytes = message({}, [{ rowCount, columns: [{ name: 'c', type, write }] }]);
  const rows = decodeResults(bytes, { ...PLAIN, ...decoding })[0]?.rows as unknown[][];
  return rows.map((row) => row[0]);
}

const i64s =
  (values: bigint[], kind: Kind = Kind.I64) =>
  (writer: Writer) => {
    head(writer, kind);
    writer.i64s(values.length).set(values);
  };

describe('columns', () => {
  test('of NULLs', () => {
    expect(decodeColumn(2, (w) => head(w, Kind.Null))).toEqual([null, null]);
  });

  test('of booleans with NULLs', () => {
    const write = (w: Writer): void => {
      head(w, Kind.Bool, [false, true, false]);
      w.bytes(3).set([1, 0, 0]);
    };
    expect(decodeColumn(3, write)).toEqual([true, null, false]);
  });

  test('of doubles, to the bit', () => {
    const values = [-0, Number.NaN, Number.POSITIVE_INFINITY, 5e-324];
    const write = (w: Writer): void => {
      head(w, Kind.F64);
      w.f64s(4).set(values);
    };
    expect(decodeColumn(4, write)).toEqual(values);
  });

  test('of 32-bit integers, padded', () => {
    const write = (w: Writer): void => {
      head(w, Kind.I32);
      w.i32s(3).set([-1, 0, 2 ** 31 - 1]);
    };
    expect(decodeColumn(3, write)).toEqual([-1, 0, 2 ** 31 - 1]);
  });

  test('of text, cut by UTF-16 units, a byte order mark included', () => {
    const values = ['\ufeffa', '', '\u{1f600}', 'z\0', '\u20ac'];
    const write = (w: Writer): void => {
      head(w, Kind.Str);
      strings(w, values);
    };
    expect(decodeColumn(5, write)).toEqual(values);
  });

  test('of JSON with NULLs', () => {
    const write = (w: Writer): void => {
      head(w, Kind.Json, [false, true, false]);
      strings(w, ['{"a":[null,1]}', '', 'null']);
    };
    expect(decodeColumn(3, write)).toEqual([{ a: [null, 1] }, null, null]);
  });

  test('of bytes, as copies', () => {
    const write = (w: Writer): void => {
      head(w, Kind.Bytes, [false, false, true]);
      w.u32(3);
      w.u32(0);
      w.u32s(3).set([2, 1, 0]);
      w.bytes(3).set([1, 2, 3]);
    };
    const values = decodeColumn(3, write);
    expect(values).toEqual([new Uint8Array([1, 2]), new Uint8Array([3]), null]);
    expect((values[0] as Uint8Array).buffer.byteLength).toBe(2);
  });

  test('of lists of lists with NULLs', () => {
    const write = (w: Writer): void => {
      head(w, Kind.List, [false, true, false]);
      w.u32s(3).set([2, 0, 0]);
      head(w, Kind.List);
      w.u32s(2).set([1, 2]);
      head(w, Kind.Str, [false, true, false]);
      strings(w, ['a', '', 'b']);
    };
    expect(decodeColumn(3, write)).toEqual([[['a'], [null, 'b']], null, []]);
  });

  test('of structs', () => {
    const write = (w: Writer): void => {
      head(w, Kind.Struct, [false, true]);
      w.u32(2);
      w.u32(0);
      for (const [name, value] of [
        ['x', 1],
        ['__proto__', 2],
      ] as const) {
        w.u32(name.length);
        w.u32(0);
        w.bytes(name.length).set(new TextEncoder().encode(name));
        head(w, Kind.I32);
        w.i32s(2).set([value, 0]);
      }
    };
    const [first, second] = decodeColumn(2, write);
    expect(Object.entries(first as object)).toEqual([
      ['x', 1],
      ['__proto__', 2],
    ]);
    expect(second).toBeNull();
  });

  test('of an unknown kind are our own fault', () => {
    expect(() => decodeColumn(1, (w) => head(w, 99 as Kind))).toThrow(
      expect.objectContaining({ code: 'internal_error' }),
    );
  });
});

describe('64-bit integers', () => {
  const safe = 2n ** 53n - 1n;
  const values = [0n, -1n, safe, safe + 1n, -safe, -safe - 1n, 2n ** 63n - 1n, -(2n ** 63n)];
  const cases: [Decoding['int64'], unknown[]][] = [
    ['auto', [0, -1, Number(safe), safe + 1n, -Number(safe), -safe - 1n, 2n ** 63n - 1n, -(2n ** 63n)]],
    ['bigint', values],
    ['number', values.map(Number)],
    ['string', values.map(String)],
  ];
  test.each(cases)('%s', (int64, expected) => {
    expect(decodeColumn(values.length, i64s(values), 'BIGINT', { int64 })).toEqual(expected);
  });

  test('unsigned', () => {
    expect(decodeColumn(2, i64s([-1n, 5n], Kind.U64), 'BIGINT UNSIGNED')).toEqual([2n ** 64n - 1n, 5]);
  });
});

describe('timestamps', () => {
  // Microseconds and their text; the years come from the proleptic Gregorian calendar.
  const cases: [bigint, string][] = [
    [0n, '1970-01-01T00:00:00'],
    [1n, '1970-01-01T00:00:00.000001'],
    [-1n, '1969-12-31T23:59:59.999999'],
    [1_600_000_000_120_000n, '2020-09-13T12:26:40.12'],
    [-62_135_596_800_000_000n, '0001-01-01T00:00:00'],
    [-62_135_596_800_000_001n, '+000000-12-31T23:59:59.999999'],
    [-62_167_219_200_000_001n, '-000001-12-31T23:59:59.999999'],
    [253_402_300_799_999_999n, '9999-12-31T23:59:59.999999'],
    [253_402_300_800_000_000n, '+010000-01-01T00:00:00'],
    [2n ** 63n - 1n, '+294247-01-10T04:00:54.775807'],
    [-(2n ** 63n), '-290308-12-21T19:59:05.224192'],
  ];
  test.each(cases)('%s us as text is %s', (us, text) => {
    expect(decodeColumn(1, i64s([us], Kind.TsUs), 'TIMESTAMP', { timestamps: 'iso' })).toEqual([text]);
    expect(decodeColumn(1, i64s([us], Kind.TsUs), 'TIMESTAMPTZ', { timestamps: 'iso' })).toEqual([`${text}Z`]);
  });

  test('as dates are rounded towards the past', () => {
    const values = [0n, 999n, 1000n, -1n, -1000n, -1001n, 253_402_300_799_999_999n];
    expect(decodeColumn(values.length, i64s(values, Kind.TsUs), 'TIMESTAMP')).toEqual(
      [0, 0, 1, -1, -1, -2, 253_402_300_799_999].map((ms) => new Date(ms)),
    );
  });

  test('as milliseconds keep their fraction', () => {
    expect(decodeColumn(2, i64s([1n, -1500n], Kind.TsUs), 'TIMESTAMP', { timestamps: 'epochMs' })).toEqual([
      0.001, -1.5,
    ]);
    const last = BigInt(Number.MAX_SAFE_INTEGER) * 1000n;
    expect(decodeColumn(1, i64s([last], Kind.TsUs), 'TIMESTAMP', { timestamps: 'epochMs' })).toEqual([
      Number.MAX_SAFE_INTEGER,
    ]);
  });

  test('that are too far away for a number or a Date are errors', () => {
    const us = BigInt(Number.MAX_SAFE_INTEGER + 1) * 1000n;
    for (const timestamps of ['epochMs', 'date'] as const) {
      expect(() => decodeColumn(1, i64s([us], Kind.TsUs), 'TIMESTAMP', { timestamps })).toThrow(/too far away/);
    }
    const lastDate = 8_640_000_000_000_000n * 1000n;
    expect(decodeColumn(1, i64s([lastDate], Kind.TsUs), 'TIMESTAMP')).toEqual([new Date(8.64e15)]);
  });
});

describe('results', () => {
  const ints = (name: string, values: number[]): TestColumn => ({
    name,
    type: 'INT',
    write(writer) {
      head(writer, Kind.I32);
      writer.i32s(values.length).set(values);
    },
  });

  test('rows of several blocks follow each other', () => {
    const bytes = message({}, [
      { rowCount: 2, columns: [ints('a', [1, 2]), ints('b', [3, 4])] },
      { rowCount: 1, columns: [ints('a', [5]), ints('b', [6])] },
    ]);
    expect(decodeResults(bytes, { ...PLAIN, rowMode: 'object' })).toEqual([
      {
        rows: [
          { a: 1, b: 3 },
          { a: 2, b: 4 },
          { a: 5, b: 6 },
        ],
        fields: [
          { name: 'a', type: 'INT' },
          { name: 'b', type: 'INT' },
        ],
        rowCount: 3,
        command: 'SELECT',
        tookMs: 0.5,
      },
    ]);
  });

  test('of columns with the same name, objects have the last and arrays have all', () => {
    const bytes = message({}, [{ rowCount: 1, columns: [ints('a', [1]), ints('a', [2])] }]);
    expect(decodeResults(bytes, { ...PLAIN, rowMode: 'object' })[0]?.rows).toEqual([{ a: 2 }]);
    expect(decodeResults(bytes, PLAIN)[0]?.rows).toEqual([[1, 2]]);
  });

  test('without rows have their fields', () => {
    const bytes = message({}, [{ rowCount: 0, columns: [ints('a', [])] }]);
    expect(decodeResults(bytes, PLAIN)[0]).toMatchObject({
      rows: [],
      fields: [{ name: 'a', type: 'INT' }],
      rowCount: 0,
    });
  });

  test('of a write have counts', () => {
    const [result] = decodeResults(message({ command: 'INSERT', affectedRows: 3, seq: 17 }, []), PLAIN);
    expect(result).toEqual({
      rows: [],
      fields: [],
      rowCount: 0,
      affectedRows: 3,
      command: 'INSERT',
      tookMs: 0.5,
      seq: 17,
    });
  });

  test('say as whom a statement ran, where that is another user', () => {
    const asUser = (header: object): unknown => decodeResults(message(header, []), PLAIN)[0]?.asUser;
    expect(asUser({ asUser: 'alice' })).toBe('alice');
    expect(asUser({ asUser: '' })).toBe('');
    expect(decodeResults(message({ asUser: null }, []), PLAIN)[0]).not.toHaveProperty('asUser');
    expect(decodeResults(message({}, []), PLAIN)[0]).not.toHaveProperty('asUser');
  });

  test('are read from bytes that lie anywhere in a buffer', () => {
    const bytes = message({}, [{ rowCount: 1, columns: [ints('a', [7])] }]);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(decodeResults(shifted.subarray(3), PLAIN)[0]?.rows).toEqual([[7]]);
  });
});
