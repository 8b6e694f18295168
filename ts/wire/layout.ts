/**
 * The layout of the blocks that carry columns of values between this package and the engine: little-endian,
 * every buffer padded to a multiple of 8 bytes so that typed arrays can be laid over it.
 */

/** What the values of a column are. */
export const Kind = {
  Null: 0,
  Bool: 1,
  F64: 2,
  I64: 3,
  Str: 4,
  Bytes: 5,
  DateMs: 6,
  Json: 7,
  List: 8,
  Struct: 9,
  Mixed: 10,
  I32: 11,
  TsUs: 12,
  U64: 13,
} as const;

export type Kind = (typeof Kind)[keyof typeof Kind];

export const I64_MIN: bigint = -(2n ** 63n);
export const I64_MAX: bigint = 2n ** 63n - 1n;

/** The next multiple of 8. */
export function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
