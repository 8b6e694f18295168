import { failure } from '../errors/errors.js';

const US_PER_SECOND = 1_000_000n;

/** A Date, its microseconds rounded towards the past. Dates end in the year 275760. */
export function dateFromUs(us: bigint): Date {
  const date = new Date(Number((us - mod(us, 1000n)) / 1000n));
  if (Number.isNaN(date.getTime())) throw tooFar(us, 'a Date');
  return date;
}

/** Milliseconds with their fraction, as exactly as a number can. From 2^53 on, in the year 287396, not every millisecond is one. */
export function epochMsFromUs(us: bigint): number {
  const ms = Number(us / 1000n);
  if (!Number.isSafeInteger(ms)) throw tooFar(us, 'a number of milliseconds');
  return ms + Number(us % 1000n) / 1000;
}

function tooFar(us: bigint, form: string): Error {
  return failure('datetime_field_overflow', `the timestamp ${isoFromUs(us)} is too far away for ${form}`, {
    hint: "read it with timestamps: 'iso'",
  });
}

/**
 * `YYYY-MM-DDTHH:MM:SS.ffffff` without trailing zeros of the fraction. Years outside 0001 to 9999 have a sign and
 * six digits, as in the extended form of ISO 8601.
 */
export function isoFromUs(us: bigint): string {
  const fraction = mod(us, US_PER_SECOND);
  const date = new Date(Number((us - fraction) / 1000n));
  const digits = fraction === 0n ? '' : `.${fraction.toString().padStart(6, '0').replace(/0+$/, '')}`;
  // The timestamps of 64 bits reach further than Date, which ends in the year 275760.
  if (Number.isNaN(date.getTime())) return isoFarAway(us, digits);
  // Date writes the year 0 as 0000; the form here reserves four digits for the years from 1 on.
  const text = date.toISOString().slice(0, -'.000Z'.length);
  return `${text.startsWith('0000') ? `+00${text}` : text}${digits}`;
}

/** The Gregorian calendar repeats after 400 years. */
const MS_PER_CYCLE = 146_097n * 86_400_000n;
const YEARS_PER_CYCLE = 400;

function isoFarAway(us: bigint, digits: string): string {
  const ms = (us - mod(us, US_PER_SECOND)) / 1000n;
  const rest = mod(ms, MS_PER_CYCLE);
  const date = new Date(Number(rest));
  const year = date.getUTCFullYear() + Number((ms - rest) / MS_PER_CYCLE) * YEARS_PER_CYCLE;
  const sign = year < 0 ? '-' : '+';
  return `${sign}${Math.abs(year).toString().padStart(6, '0')}${date.toISOString().slice(4, -'.000Z'.length)}${digits}`;
}

/** The remainder that is never negative. */
function mod(a: bigint, b: bigint): bigint {
  const rest = a % b;
  return rest < 0n ? rest + b : rest;
}
