//! Dates, times and timestamps in ISO style.

use crate::calendar::Civil;

/// Appends a day, `2024-01-31`; years before 1 as PostgreSQL does, `0044-03-15 BC`.
pub(super) fn write_date(out: &mut String, days: i64) {
    let civil = Civil::from_days(days);
    write_civil(out, civil);
    write_era(out, civil);
}

/// Appends a time of day, `10:00:00.5`; `places` says how many decimal places of a second `value` counts.
pub(super) fn write_time(out: &mut String, value: i64, places: u32) {
    let per_second = 10_i64.pow(places);
    let seconds = value.div_euclid(per_second);
    write_padded(out, seconds / 3_600, 2);
    out.push(':');
    write_padded(out, seconds / 60 % 60, 2);
    out.push(':');
    write_padded(out, seconds % 60, 2);
    write_fraction(out, value.rem_euclid(per_second), places);
}

/// Appends a timestamp, `2024-01-31 10:00:00.5`, with `+00` if it has a zone: zones are shown as UTC.
pub(super) fn write_timestamp(out: &mut String, value: i64, places: u32, has_zone: bool) {
    let per_day = 86_400 * 10_i64.pow(places);
    let civil = Civil::from_days(value.div_euclid(per_day));
    write_civil(out, civil);
    out.push(' ');
    write_time(out, value.rem_euclid(per_day), places);
    if has_zone {
        out.push_str("+00");
    }
    write_era(out, civil);
}

/// Appends `.` and the fraction without the zeros at its end; nothing if it is 0.
pub(super) fn write_fraction(out: &mut String, fraction: i64, places: u32) {
    if fraction != 0 {
        out.push('.');
        write_padded(out, fraction, places as usize);
        out.truncate(out.trim_end_matches('0').len());
    }
}

/// Appends a number of at least `width` digits.
pub(super) fn write_padded(out: &mut String, value: i64, width: usize) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value);
    out.extend(std::iter::repeat_n('0', width.saturating_sub(digits.len())));
    out.push_str(digits);
}

fn write_civil(out: &mut String, civil: Civil) {
    let year = if civil.year > 0 { civil.year } else { 1 - civil.year };
    write_padded(out, year, 4);
    out.push('-');
    write_padded(out, civil.month, 2);
    out.push('-');
    write_padded(out, civil.day, 2);
}

fn write_era(out: &mut String, civil: Civil) {
    if civil.year <= 0 {
        out.push_str(" BC");
    }
}
