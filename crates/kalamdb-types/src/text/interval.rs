//! Intervals in PostgreSQL's own style: `1 year 2 mons 3 days 04:05:06.7`.

use super::datetime::{write_fraction, write_padded};

const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

/// Appends a duration in nanoseconds, its whole days apart, as the difference of two timestamps is shown.
pub(super) fn write_duration(out: &mut String, nanos: i128) {
    write_interval(out, 0, nanos / DAY, nanos % DAY);
}

/// Appends an interval.
pub(super) fn write_interval(out: &mut String, months: i32, days: i128, nanos: i128) {
    let start = out.len();
    let mut is_after_negative = false;
    for (value, unit) in [(i128::from(months / 12), "year"), (i128::from(months % 12), "mon"), (days, "day")] {
        if value == 0 {
            continue;
        }
        if out.len() > start {
            out.push(' ');
        }
        if is_after_negative && value > 0 {
            out.push('+');
        }
        out.push_str(itoa::Buffer::new().format(value));
        out.push(' ');
        out.push_str(unit);
        if value != 1 {
            out.push('s');
        }
        is_after_negative = value < 0;
    }
    if nanos == 0 && out.len() > start {
        return;
    }
    if out.len() > start {
        out.push(' ');
    }
    if nanos < 0 {
        out.push('-');
    } else if is_after_negative {
        out.push('+');
    }
    let nanos = nanos.abs();
    // Both parts fit 64 bits: the input was 64 bits of at most seconds.
    let seconds = i64::try_from(nanos / SECOND).unwrap_or(i64::MAX);
    write_padded(out, seconds / 3_600, 2);
    out.push(':');
    write_padded(out, seconds / 60 % 60, 2);
    out.push(':');
    write_padded(out, seconds % 60, 2);
    write_fraction(out, i64::try_from(nanos % SECOND).unwrap_or(0), 9);
}
