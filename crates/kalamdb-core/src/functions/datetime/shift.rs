//! Arithmetic of points in time and intervals, in integers.

use datafusion::arrow::datatypes::IntervalMonthDayNano;
use kalamdb_types::calendar::{Civil, DAY};

use super::values::out_of_range;
use crate::error::Result;

/// Nanoseconds of a microsecond.
pub(super) const MICROSECOND: i64 = 1_000;
/// Nanoseconds of a day.
pub(super) const DAY_NANOS: i128 = DAY as i128 * MICROSECOND as i128;
/// Days of a month, where months have to have a length.
pub(super) const MONTH_DAYS: i64 = 30;

/// Adds months, then days, then time; a day that the month does not have becomes its last.
pub(super) fn add(micros: i64, interval: IntervalMonthDayNano) -> Result<i64> {
    let (mut days, time) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    if interval.months != 0 {
        days = add_months(days, interval.months.into());
    }
    let days = i128::from(days) + i128::from(interval.days);
    let micros = days * i128::from(DAY) + i128::from(time) + i128::from(to_micros(interval.nanoseconds));
    i64::try_from(micros).map_err(|_| out_of_range("timestamp"))
}

/// The same day so many months later, or the last one of that month.
fn add_months(days: i64, months: i64) -> i64 {
    let civil = Civil::from_days(days);
    let month = civil.year * 12 + civil.month - 1 + months;
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
    Civil { year, month, day: civil.day.min(days_of_month(year, month)) }.to_days()
}

pub(super) fn days_of_month(year: i64, month: i64) -> i64 {
    let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    Civil { year: next_year, month: next_month, day: 1 }.to_days() - Civil { year, month, day: 1 }.to_days()
}

/// The nearest microsecond.
fn to_micros(nanos: i64) -> i64 {
    let rest = nanos.rem_euclid(MICROSECOND);
    nanos.div_euclid(MICROSECOND) + i64::from(rest * 2 >= MICROSECOND)
}

/// The time between two points, whole days apart.
pub(super) fn between(from: i64, to: i64) -> Result<IntervalMonthDayNano> {
    let micros = i128::from(to) - i128::from(from);
    let days = i32::try_from(micros / i128::from(DAY)).map_err(|_| out_of_range("interval"))?;
    let rest = i64::try_from(micros % i128::from(DAY)).map_err(|_| out_of_range("interval"))?;
    Ok(IntervalMonthDayNano::new(0, days, rest * MICROSECOND))
}

/// An interval of parts that may be too large.
pub(super) fn interval(months: i128, days: i128, nanos: i128) -> Result<IntervalMonthDayNano> {
    match (i32::try_from(months), i32::try_from(days), i64::try_from(nanos)) {
        (Ok(months), Ok(days), Ok(nanos)) => Ok(IntervalMonthDayNano::new(months, days, nanos)),
        _ => Err(out_of_range("interval")),
    }
}

/// The length of an interval in nanoseconds.
pub(crate) fn length(interval: IntervalMonthDayNano) -> i128 {
    (i128::from(interval.months) * i128::from(MONTH_DAYS) + i128::from(interval.days)) * DAY_NANOS
        + i128::from(interval.nanoseconds)
}

pub(super) fn plus(a: IntervalMonthDayNano, b: IntervalMonthDayNano, sign: i128) -> Result<IntervalMonthDayNano> {
    let sum = |a: i128, b: i128| a + sign * b;
    interval(
        sum(a.months.into(), b.months.into()),
        sum(a.days.into(), b.days.into()),
        sum(a.nanoseconds.into(), b.nanoseconds.into()),
    )
}

pub(super) fn negated(a: IntervalMonthDayNano) -> Result<IntervalMonthDayNano> {
    plus(IntervalMonthDayNano::new(0, 0, 0), a, -1)
}

/// An interval times a factor: what is left of a month goes on in days, what is left of a day in time, to the
/// microsecond.
pub(super) fn scaled(a: IntervalMonthDayNano, factor: impl Fn(f64) -> f64) -> Result<IntervalMonthDayNano> {
    let (months, days) = (factor(f64::from(a.months)), factor(f64::from(a.days)));
    let micros = factor(a.nanoseconds as f64 / MICROSECOND as f64);
    if !(months.is_finite() && days.is_finite() && micros.is_finite()) {
        return Err(out_of_range("interval"));
    }
    // Rounded to the microsecond, so that 0.1 months are 3 days.
    let round = |seconds: f64| (seconds * 1e6).round() / 1e6;
    let month_days = round((months - months.trunc()) * MONTH_DAYS as f64);
    let mut whole_days = days.trunc() + month_days.trunc();
    let mut seconds = round(((days - days.trunc()) + (month_days - month_days.trunc())) * 86_400.0);
    if seconds.abs() >= 86_400.0 {
        whole_days += (seconds / 86_400.0).trunc();
        seconds %= 86_400.0;
    }
    let nanos = (micros + seconds * 1e6).round() * MICROSECOND as f64;
    let fits = |value: f64, limit: f64| value >= -limit && value < limit;
    if !(fits(months.trunc(), 2_147_483_648.0)
        && fits(whole_days, 2_147_483_648.0)
        && fits(nanos, 9_223_372_036_854_775_808.0))
    {
        return Err(out_of_range("interval"));
    }
    Ok(IntervalMonthDayNano::new(months.trunc() as i32, whole_days as i32, nanos as i64))
}
