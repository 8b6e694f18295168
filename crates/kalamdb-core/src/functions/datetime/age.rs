//! `age`, and the functions that move an interval's parts into each other.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{Field, FieldRef, IntervalMonthDayNano};
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use kalamdb_types::SqlType;
use kalamdb_types::calendar::DAY;

use super::fields::Fields;
use super::shift::{DAY_NANOS, MICROSECOND, MONTH_DAYS, days_of_month, interval, negated};
use super::values::{Intervals, Kind, Timestamps, each_interval};
use crate::error::Result;
use crate::functions::{field, function, no_such_function};

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![
        function(&["age"], returns_age, age),
        function(&["justify_hours"], returns_justified, |args| justify(args, justified_hours)),
        function(&["justify_days"], returns_justified, |args| justify(args, justified_days)),
        function(&["justify_interval"], returns_justified, |args| justify(args, justified)),
    ]
}

fn returns_age(name: &str, args: &[FieldRef]) -> Result<Field> {
    let is_fine = |arg: &FieldRef| {
        let kind = Kind::of(arg.data_type());
        kind.is_moment() || matches!(kind, Kind::Text | Kind::Null)
    };
    if args.len() == 2 && args.iter().all(is_fine) {
        Ok(field(name, SqlType::Interval))
    } else {
        Err(no_such_function(name, args))
    }
}

/// `age(later, earlier)`; with one argument the planner puts today before it.
fn age(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let to = Timestamps::of(args, 0, SqlType::Timestamp)?;
    let from = Timestamps::of(args, 1, SqlType::Timestamp)?;
    each_interval(args, |row| match (to.get(row), from.get(row)) {
        (Some(to), Some(from)) if to >= from => symbolic(from, to).map(Some),
        (Some(to), Some(from)) => symbolic_back(to, from).map(Some),
        _ => Ok(None),
    })
}

/// Years, months, days and time from the earlier to the later; a day is borrowed from the earlier's month.
fn symbolic(earlier: i64, later: i64) -> Result<IntervalMonthDayNano> {
    let civil = Fields::of(earlier).civil;
    difference(earlier, later, days_of_month(civil.year, civil.month))
}

/// The negative of it, where days are borrowed from the earlier's month too.
fn symbolic_back(earlier: i64, later: i64) -> Result<IntervalMonthDayNano> {
    negated(symbolic(earlier, later)?)
}

fn difference(earlier: i64, later: i64, borrowed: i64) -> Result<IntervalMonthDayNano> {
    let (from, to) = (Fields::of(earlier), Fields::of(later));
    let mut months = (to.civil.year - from.civil.year) * 12 + to.civil.month - from.civil.month;
    let mut days = to.civil.day - from.civil.day;
    let mut time = to.time - from.time;
    if time < 0 {
        time += DAY;
        days -= 1;
    }
    while days < 0 {
        days += borrowed;
        months -= 1;
    }
    interval(months.into(), days.into(), i128::from(time) * i128::from(MICROSECOND))
}

fn returns_justified(name: &str, args: &[FieldRef]) -> Result<Field> {
    match args {
        [arg] if matches!(Kind::of(arg.data_type()), Kind::Interval | Kind::Time | Kind::Text | Kind::Null) => {
            Ok(field(name, SqlType::Interval))
        }
        _ => Err(no_such_function(name, args)),
    }
}

fn justify(args: &ScalarFunctionArgs, change: fn(Parts) -> Parts) -> Result<ArrayRef> {
    let intervals = Intervals::of(args, 0, SqlType::Interval)?;
    each_interval(args, |row| {
        let justified = intervals.get(row).map(|value| {
            let (months, days, nanos) = change((value.months.into(), value.days.into(), value.nanoseconds.into()));
            interval(months, days, nanos)
        });
        justified.transpose()
    })
}

/// Months, days and nanoseconds.
type Parts = (i128, i128, i128);

const MONTH: i128 = MONTH_DAYS as i128;

/// Whole days of the time become days, and both get the same sign.
fn justified_hours((months, days, nanos): Parts) -> Parts {
    let (days, nanos) = (days + nanos / DAY_NANOS, nanos % DAY_NANOS);
    let (days, nanos) = same_sign(days, nanos, DAY_NANOS);
    (months, days, nanos)
}

/// 30 days become a month, and both get the same sign.
fn justified_days((months, days, nanos): Parts) -> Parts {
    let (months, days) = same_sign(months + days / MONTH, days % MONTH, MONTH);
    (months, days, nanos)
}

/// Both, and all parts get the same sign.
fn justified((months, days, nanos): Parts) -> Parts {
    let (mut days, mut nanos) = (days + nanos / DAY_NANOS, nanos % DAY_NANOS);
    let mut months = months + days / MONTH;
    days %= MONTH;
    if months > 0 && (days < 0 || (days == 0 && nanos < 0)) {
        days += MONTH;
        months -= 1;
    } else if months < 0 && (days > 0 || (days == 0 && nanos > 0)) {
        days -= MONTH;
        months += 1;
    }
    (days, nanos) = same_sign(days, nanos, DAY_NANOS);
    (months, days, nanos)
}

fn same_sign(large: i128, small: i128, per_large: i128) -> (i128, i128) {
    if large > 0 && small < 0 {
        (large - 1, small + per_large)
    } else if large < 0 && small > 0 {
        (large + 1, small - per_large)
    } else {
        (large, small)
    }
}
