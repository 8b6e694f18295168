import { describe, expect, test } from 'vitest';
import { encodeParams, encodeRows } from '../wire/encode.js';
import type { Param, Rows } from '../wire/params.js';
import { readBlock } from './read-block.js';

/** Two million units: more than the buffer that the length of short texts asks for. */
const LONG = 'a long text with \u00e9 and \u{1f600}. '.repeat(70_000);

/** An array that holds itself. */
const circle: unknown[] = [];
circle.push(circle);

test('values that run code of their own, which encodes others, are not disturbed', () => {
  let inner: Uint8Array | undefined;
  const value = {
    toJSON: () => {
      inner = encodeParams(['inner', 7]);
      return { a: 1 };
    },
  };
  const outer = encodeParams(['outer', value as never, 'end']);
  expect(readBlock(outer).columns.map(({ values }) => values)).toEqual([['outer'], ['{"a":1}'], ['end']]);
  expect(readBlock(inner as Uint8Array).columns.map(({ values }) => values)).toEqual([['inner'], [7]]);
});

test('a value that throws leaves nothing to the next ones', () => {
  const value = {
    toJSON: () => {
      throw new RangeError('no');
    },
  };
  expect(() => encodeParams(['x'.repeat(100), value as never])).toThrow(RangeError);
  expect(encodeParams([null, true])).toEqual(encodeParams([null, true]));
  expect(readBlock(encodeParams([true])).columns.map(({ values }) => values)).toEqual([[true]]);
});

describe('parameters', () => {
  const cases: [string, Param, string, unknown][] = [
    ['null', null, 'Null', null],
    ['undefined', undefined, 'Null', null],
    ['a boolean', true, 'Bool', true],
    ['zero', 0, 'I32', 0],
    ['minus zero', -0, 'F64', -0],
    ['the largest int32', 2 ** 31 - 1, 'I32', 2 ** 31 - 1],
    ['the smallest int32', -(2 ** 31), 'I32', -(2 ** 31)],
    ['an integer above int32', 2 ** 31, 'I64', 2n ** 31n],
    ['an integer below int32', -(2 ** 31) - 1, 'I64', -(2n ** 31n) - 1n],
    ['the largest safe integer', 2 ** 53 - 1, 'I64', 2n ** 53n - 1n],
    ['an integer that is not safe', 2 ** 53, 'F64', 2 ** 53],
    ['a fraction', 1.5, 'F64', 1.5],
    ['NaN', Number.NaN, 'F64', Number.NaN],
    ['infinity', Number.NEGATIVE_INFINITY, 'F64', Number.NEGATIVE_INFINITY],
    ['the largest bigint of 64 bits', 2n ** 63n - 1n, 'I64', 2n ** 63n - 1n],
    ['the smallest bigint of 64 bits', -(2n ** 63n), 'I64', -(2n ** 63n)],
    ['a larger bigint', 2n ** 63n, 'Str', '9223372036854775808'],
    ['the empty string', '', 'Str', ''],
    ['text of all widths', 'a\u00e9\u20ac\u{1f600}\0\ufeff', 'Str', 'a\u00e9\u20ac\u{1f600}\0\ufeff'],
    ['long text', LONG, 'Str', LONG],
    ['a date', new Date(-1), 'DateMs', -1],
    ['bytes', new Uint8Array([1, 2]), 'Bytes', [1, 2]],
    ['no bytes', new Uint8Array(0), 'Bytes', []],
    ['a buffer', new Uint8Array([3]).buffer, 'Bytes', [3]],
    ['a part of a buffer', new Uint16Array([1, 2, 3]).subarray(1, 2), 'Bytes', [2, 0]],
    ['an object', { a: [null, { b: 'x' }] }, 'Json', '{"a":[null,{"b":"x"}]}'],
    [
      'an object with bigints',
      { a: 2n ** 80n, b: [-1n, { c: 0n, d: '0' }] },
      'Json',
      '{"a":1208925819614629174706176,"b":[-1,{"c":0,"d":"0"}]}',
    ],
    ['an object within an array with bigints', [{ a: 9007199254740993n }], 'Json', '[{"a":9007199254740993}]'],
    ['an array', [1, 'two', null], 'Json', '[1,"two",null]'],
    [
      'an array of what JSON has no numbers for',
      [-0, Number.NaN, Number.NEGATIVE_INFINITY, 2n ** 63n, 1e21],
      'Json',
      '[-0,"NaN","-Infinity",9223372036854775808,1e+21]',
    ],
    [
      'an array of bytes, dates and nothing',
      [new Uint8Array([0, 255]), new Date(0), undefined],
      'Json',
      '["\\\\x00ff","1970-01-01T00:00:00.000Z",null]',
    ],
    ['an array of arrays and objects', [[], [[1n]], { a: [-0] }], 'Json', '[[],[[1]],{"a":[0]}]'],
    ['32-bit floats', new Float32Array([0.1, -0, 1]), 'Json', '[0.10000000149011612,-0,1]'],
    ['64-bit floats', new Float64Array([0.1, Number.POSITIVE_INFINITY]), 'Json', '[0.1,"Infinity"]'],
    ['JSON with an escaped backslash', ['\\ud800'], 'Json', '["\\\\ud800"]'],
  ];
  test.each(cases)('%s', (_, value, kind, expected) => {
    expect(readBlock(encodeParams([value]))).toEqual({ rowCount: 1, columns: [{ kind, values: [expected] }] });
  });

  test('none are no bytes at all', () => {
    expect(encodeParams([])).toHaveLength(0);
  });

  test('several are columns of one row, at multiples of 8', () => {
    const block = encodeParams(['abc', 7, true]);
    expect(block.byteOffset).toBe(0);
    expect(block.length % 8).toBe(0);
    expect(readBlock(block).columns.map((column) => column.values)).toEqual([['abc'], [7], [true]]);
  });

  const surrogates: [string, Param][] = [
    ['a high surrogate at the end', 'ab\ud83d'],
    ['a low surrogate', '\ude00'],
    ['surrogates in the wrong order', '\ude00\ud83d'],
    ['a high surrogate before a letter', '\ud83da'],
    ['a surrogate in a long text', `${'x'.repeat(200)}\ud83d`],
    ['a surrogate in JSON', { a: '\ud83d' }],
    ['a surrogate behind a backslash in JSON', { a: '\\\ud83d' }],
  ];
  test.each(surrogates)('%s has no UTF-8 form', (_, value) => {
    expect(() => encodeParams([1, value])).toThrow(
      expect.objectContaining({
        code: 'character_not_in_repertoire',
        message: expect.stringContaining('parameter $2'),
      }),
    );
  });

  test('an invalid Date is refused', () => {
    expect(() => encodeParams([new Date(Number.NaN)])).toThrow(
      expect.objectContaining({ code: 'invalid_datetime_format' }),
    );
  });

  const shapeless: [string, unknown][] = [
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a Map', new Map()],
    ['a cycle', cycle()],
    ['an array in a circle', circle],
    ['an object without a JSON form', { toJSON: () => undefined }],
  ];
  test.each(shapeless)('%s is a TypeError', (_, value) => {
    expect(() => encodeParams([value as Param])).toThrow(TypeError);
  });
});

describe('rows', () => {
  const encode = (rows: Rows) => {
    const { names, block } = encodeRows(rows);
    return { names, ...readBlock(block) };
  };

  test('objects become columns in the order of the first row', () => {
    expect(
      encode([
        { id: 1, name: 'a' },
        { name: null, id: 2 },
      ]),
    ).toEqual({
      names: ['id', 'name'],
      rowCount: 2,
      columns: [
        { kind: 'I32', values: [1, 2] },
        { kind: 'Str', values: ['a', null] },
      ],
    });
  });

  test('arrays become columns', () => {
    expect(
      encode({
        columns: ['a', 'b'],
        rows: [
          [true, 1.5],
          [null, 2],
        ],
      }),
    ).toEqual({
      names: ['a', 'b'],
      rowCount: 2,
      columns: [
        { kind: 'Bool', values: [true, null] },
        { kind: 'F64', values: [1.5, 2] },
      ],
    });
  });

  test('a key with undefined is NULL', () => {
    expect(encode([{ a: undefined }, { a: 1 }]).columns).toEqual([{ kind: 'I32', values: [null, 1] }]);
  });

  test('wide integers stay numbers, so that a column of numbers has one kind', () => {
    expect(encode([{ a: 1 }, { a: 2 ** 40 }]).columns).toEqual([{ kind: 'F64', values: [1, 2 ** 40] }]);
  });

  test('values of several kinds keep their kinds', () => {
    const values = [1, 'x', null, 2.5, true, 2n ** 63n, 5n, new Date(9), [0], new Uint8Array([7])];
    expect(encode({ columns: ['v'], rows: values.map((value) => [value]) }).columns).toEqual([
      {
        kind: 'Mixed',
        values: [
          ['F64', 1],
          ['Str', 'x'],
          null,
          ['F64', 2.5],
          ['Bool', true],
          ['Str', '9223372036854775808'],
          ['I64', 5n],
          ['DateMs', 9],
          ['Json', '[0]'],
          ['Bytes', [7]],
        ],
      },
    ]);
  });

  test('every kind may have NULLs', () => {
    const row = { b: true, f: 0.5, i: 1, n: 1n, s: 's', d: new Date(1), j: {}, y: new Uint8Array([1]) };
    const nulls = Object.fromEntries(Object.keys(row).map((key) => [key, null]));
    const { columns } = encode([nulls, row, nulls]);
    expect(columns.map(({ kind }) => kind)).toEqual(['Bool', 'F64', 'I32', 'I64', 'Str', 'DateMs', 'Json', 'Bytes']);
    expect(columns.map(({ values }) => [values[0], values[2]])).toEqual(columns.map(() => [null, null]));
    expect(columns.map(({ values }) => values[1])).toEqual([true, 0.5, 1, 1n, 's', 1, '{}', [1]]);
  });

  test('many rows with text that outgrows the first buffer', () => {
    const rows = Array.from({ length: 5000 }, (_, i) => ({ i, text: `\u4f60\u597d ${i}` }));
    const { columns } = encode(rows);
    expect(columns[1]?.values).toEqual(rows.map((row) => row.text));
  });

  test('a lone surrogate is named by row and column', () => {
    expect(() => encodeRows([{ a: 'ok' }, { a: '\ud800' }])).toThrow(
      expect.objectContaining({
        code: 'character_not_in_repertoire',
        message: expect.stringContaining('row 1, column "a"'),
      }),
    );
  });

  test('surrogates do not pair up across values', () => {
    expect(() => encodeRows([{ a: '\ud83d' }, { a: '\ude00' }])).toThrow(
      expect.objectContaining({ code: 'character_not_in_repertoire' }),
    );
  });

  const unlike: [string, Rows, string][] = [
    ['a missing key', [{ a: 1, b: 2 }, { a: 1 }], 'row 1 has no column "b"'],
    ['a further key', [{ a: 1 }, { a: 1, b: 2 }], 'row 1 has the column "b"'],
    ['an array that is too short', { columns: ['a', 'b'], rows: [[1, 2], [1]] }, 'row 1 has 1 values for 2 columns'],
  ];
  test.each(unlike)('%s is refused', (_, rows, message) => {
    expect(() => encodeRows(rows)).toThrow(
      expect.objectContaining({ code: 'invalid_parameter_value', message: expect.stringContaining(message) }),
    );
  });

  const wrong: [string, unknown][] = [
    ['no array', 5],
    ['null', null],
    ['arrays without columns', [[1]]],
    ['a row that is null', [null]],
    ['columns that are no strings', { columns: [1], rows: [] }],
    ['rows that are no arrays', { columns: ['a'], rows: [{ a: 1 }] }],
  ];
  test.each(wrong)('%s is a TypeError', (_, rows) => {
    expect(() => encodeRows(rows as Rows)).toThrow(TypeError);
  });
});

function cycle(): object {
  const self: Record<string, unknown> = {};
  self['self'] = self;
  return self;
}
