//! EXTRACT and `date_part`.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{Field, FieldRef, Float64Type, IntervalMonthDayNano};
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use kalamdb_types::SqlType;
use kalamdb_types::calendar::{DAY, SECOND};

use super::fields::{Fields, Unit, century, decade, millennium, shown_year};
use super::shift::{MICROSECOND, MONTH_DAYS};
use super::values::{Intervals, Kind, Times, Timestamps, each};
use crate::error::{Error, Result};
use crate::functions::{Texts, field, function, no_such_function};

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![extract(), function(&["date_part", "datepart"], returns, date_part)]
}

/// The function that `EXTRACT(field FROM value)` is planned as.
pub(super) fn extract() -> Arc<ScalarUDF> {
    function(&["extract"], returns, extract_field)
}

fn returns(name: &str, args: &[FieldRef]) -> Result<Field> {
    match args {
        [unit, value] => {
            let unit = Kind::of(unit.data_type());
            let value = Kind::of(value.data_type());
            let fits = matches!(unit, Kind::Text | Kind::Null)
                && (value.is_moment() || matches!(value, Kind::Time | Kind::Interval | Kind::Text | Kind::Null));
            if fits { Ok(field(name, SqlType::Double)) } else { Err(no_such_function(name, args)) }
        }
        _ => Err(no_such_function(name, args)),
    }
}

/// A date has no time for EXTRACT, and is midnight for `date_part`.
fn extract_field(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    evaluate(args, true)
}

fn date_part(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    evaluate(args, false)
}

fn evaluate(args: &ScalarFunctionArgs, is_strict: bool) -> Result<ArrayRef> {
    let data_type = args
        .arg_fields
        .get(1)
        .map(|field| field.data_type())
        .ok_or_else(|| Error::internal("an argument is missing"))?;
    let kind = Kind::of(data_type);
    let units = Units::of(args)?;
    Ok(Arc::new(match kind {
        Kind::Time => {
            let times = Times::of(args, 1, SqlType::Time)?;
            each::<Float64Type>(args, |row| units.of_row(row, times.get(row), of_time))?
        }
        Kind::Interval => {
            let intervals = Intervals::of(args, 1, SqlType::Interval)?;
            each::<Float64Type>(args, |row| units.of_row(row, intervals.get(row), of_interval))?
        }
        _ => {
            let timestamps = Timestamps::of(
                args,
                1,
                if kind == Kind::TimestampTz { SqlType::TimestampTz } else { SqlType::Timestamp },
            )?;
            let of_row = |unit, micros| {
                if is_strict && kind == Kind::Date {
                    check_unit_of_date(unit)?;
                }
                of_timestamp(unit, micros, kind)
            };
            each::<Float64Type>(args, |row| units.of_row(row, timestamps.get(row), of_row))?
        }
    }))
}

/// The names of the units, read once if all rows have the same.
enum Units {
    One(Option<Unit>),
    Each(Texts),
}

impl Units {
    fn of(args: &ScalarFunctionArgs) -> Result<Self> {
        Ok(match Texts::of(args, 0)? {
            Texts::One(name) => Self::One(name.as_deref().map(Unit::parse).transpose()?),
            each @ Texts::Each(_) => Self::Each(each),
        })
    }

    fn of_row<T>(&self, row: usize, value: Option<T>, field: impl Fn(Unit, T) -> Result<f64>) -> Result<Option<f64>> {
        let unit = match self {
            Self::One(unit) => *unit,
            Self::Each(names) => names.get(row).map(Unit::parse).transpose()?,
        };
        match (unit, value) {
            (Some(unit), Some(value)) => field(unit, value).map(Some),
            _ => Ok(None),
        }
    }
}

fn unsupported(unit: Unit, of: &str) -> Error {
    Error::unsupported(format!("the unit {} of {of}", format!("{unit:?}").to_lowercase()))
}

fn check_unit_of_date(unit: Unit) -> Result<()> {
    match unit {
        Unit::Nanosecond
        | Unit::Microsecond
        | Unit::Millisecond
        | Unit::Second
        | Unit::Minute
        | Unit::Hour
        | Unit::Zone => Err(unsupported(unit, "a date")),
        _ => Ok(()),
    }
}

/// A count of so many to the unit, with its fraction: division of integers, so that nothing is lost that the result can
/// hold.
fn ratio(count: i64, per_unit: i64) -> f64 {
    count as f64 / per_unit as f64
}

fn of_timestamp(unit: Unit, micros: i64, kind: Kind) -> Result<f64> {
    let at = Fields::of(micros);
    let year = at.civil.year;
    let whole = match unit {
        Unit::Epoch => return Ok(ratio(micros, SECOND)),
        Unit::Julian => return Ok(at.julian_day() as f64 + ratio(at.time, DAY)),
        Unit::Nanosecond | Unit::Microsecond | Unit::Millisecond | Unit::Second | Unit::Minute | Unit::Hour => {
            return of_time(unit, at.time);
        }
        Unit::Day => at.civil.day,
        Unit::Week => at.iso_week().1,
        Unit::Month => at.civil.month,
        Unit::Quarter => at.quarter(),
        Unit::Year => shown_year(year),
        Unit::Decade => decade(year),
        Unit::Century => century(year),
        Unit::Millennium => millennium(year),
        Unit::IsoYear => shown_year(at.iso_week().0),
        Unit::DayOfWeek => at.day_of_week(),
        Unit::IsoDayOfWeek => at.iso_day_of_week(),
        Unit::DayOfYear => at.day_of_year(),
        Unit::Zone if kind == Kind::TimestampTz => 0,
        Unit::Zone => return Err(unsupported(unit, "a timestamp without time zone")),
    };
    Ok(whole as f64)
}

fn of_time(unit: Unit, time: i64) -> Result<f64> {
    let in_minute = time % (60 * SECOND);
    Ok(match unit {
        Unit::Nanosecond => in_minute as f64 * MICROSECOND as f64,
        Unit::Microsecond => in_minute as f64,
        Unit::Millisecond => ratio(in_minute, SECOND / 1_000),
        Unit::Second => ratio(in_minute, SECOND),
        Unit::Minute => (time / (60 * SECOND) % 60) as f64,
        Unit::Hour => (time / (3_600 * SECOND)) as f64,
        Unit::Epoch => ratio(time, SECOND),
        other => return Err(unsupported(other, "a time")),
    })
}

fn of_interval(unit: Unit, interval: IntervalMonthDayNano) -> Result<f64> {
    let nanos = interval.nanoseconds;
    let second = SECOND * MICROSECOND;
    let (years, months) = (i64::from(interval.months / 12), i64::from(interval.months % 12));
    let days = i64::from(interval.days);
    let in_minute = nanos % (60 * second);
    let whole = match unit {
        Unit::Nanosecond => in_minute,
        Unit::Microsecond => return Ok(ratio(in_minute, MICROSECOND)),
        Unit::Millisecond => return Ok(ratio(in_minute, second / 1_000)),
        Unit::Second => return Ok(ratio(in_minute, second)),
        Unit::Minute => nanos / (60 * second) % 60,
        Unit::Hour => nanos / (3_600 * second),
        Unit::Day => days,
        Unit::Week => days / 7,
        Unit::Month => months,
        // That of a negative interval is the negative of that of the positive.
        Unit::Quarter if interval.months < 0 => -(-months / 3 + 1),
        Unit::Quarter => months / 3 + 1,
        Unit::Year => years,
        Unit::Decade => years / 10,
        Unit::Century => years / 100,
        Unit::Millennium => years / 1_000,
        Unit::Epoch => {
            // A year has 365.25 days here, so that four of them are right.
            let whole = years * 31_557_600 + (months * MONTH_DAYS + days) * (DAY / SECOND);
            return Ok((i128::from(whole) * i128::from(second) + i128::from(nanos)) as f64 / second as f64);
        }
        other => return Err(unsupported(other, "an interval")),
    };
    Ok(whole as f64)
}
