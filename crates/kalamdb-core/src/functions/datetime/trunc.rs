//! `date_trunc`.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{Field, FieldRef, IntervalMonthDayNano};
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use kalamdb_types::SqlType;
use kalamdb_types::calendar::{Civil, DAY, SECOND};

use super::fields::{Fields, Unit, century, decade, millennium};
use super::shift::MICROSECOND;
use super::values::{Intervals, Kind, Timestamps, each_interval, each_timestamp, out_of_range};
use super::zones::Zones;
use crate::error::{Error, Result};
use crate::functions::{Texts, field, function, no_such_function};

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![function(&["date_trunc", "datetrunc"], returns, date_trunc)]
}

fn returns(name: &str, args: &[FieldRef]) -> Result<Field> {
    let kinds: Vec<Kind> = args.iter().map(|arg| Kind::of(arg.data_type())).collect();
    let sql_type = match kinds.as_slice() {
        [Kind::Text | Kind::Null, Kind::Timestamp] => SqlType::Timestamp,
        [Kind::Text | Kind::Null, Kind::Interval | Kind::Time] => SqlType::Interval,
        // A date is a point in time with a zone here.
        [Kind::Text | Kind::Null, Kind::TimestampTz | Kind::Date | Kind::Text | Kind::Null]
        | [
            Kind::Text | Kind::Null,
            Kind::TimestampTz | Kind::Timestamp | Kind::Date | Kind::Text | Kind::Null,
            Kind::Text | Kind::Null,
        ] => SqlType::TimestampTz,
        _ => return Err(no_such_function(name, args)),
    };
    Ok(field(name, sql_type))
}

fn date_trunc(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let units = Texts::of(args, 0)?;
    let one = match &units {
        Texts::One(Some(name)) => Some(Unit::parse(name)?),
        _ => None,
    };
    let unit = |row: usize| match one {
        Some(unit) => Ok(Some(unit)),
        None => units.get(row).map(Unit::parse).transpose(),
    };
    let result_type = SqlType::of_field(&args.return_field).ok_or_else(|| Error::internal("a function has a type"))?;
    if result_type == SqlType::Interval {
        let intervals = Intervals::of(args, 1, SqlType::Interval)?;
        return each_interval(args, |row| match (unit(row)?, intervals.get(row)) {
            (Some(unit), Some(interval)) => interval_down_to(unit, interval).map(Some),
            _ => Ok(None),
        });
    }
    let timestamps = Timestamps::of(args, 1, result_type)?;
    if args.args.len() == 3 {
        let mut zones = Zones::of(args, 2)?;
        return each_timestamp(args, |row| match (unit(row)?, timestamps.get(row), zones.get(row)?) {
            (Some(unit), Some(micros), Some(zone)) => zone.to_utc(down_to(unit, zone.to_local(micros)?)?).map(Some),
            _ => Ok(None),
        });
    }
    each_timestamp(args, |row| match (unit(row)?, timestamps.get(row)) {
        (Some(unit), Some(micros)) => down_to(unit, micros).map(Some),
        _ => Ok(None),
    })
}

fn unsupported(unit: Unit, what: &str) -> Error {
    Error::unsupported(format!("truncating {what} to {}", format!("{unit:?}").to_lowercase()))
}

/// The beginning of the unit that holds the point in time.
pub(super) fn down_to(unit: Unit, micros: i64) -> Result<i64> {
    let multiple = |of: i64| i128::from(micros.div_euclid(of)) * i128::from(of);
    let at = Fields::of(micros);
    let year = at.civil.year;
    let days_of = |year, month| Civil { year, month, day: 1 }.to_days();
    let days = match unit {
        Unit::Nanosecond | Unit::Microsecond => return Ok(micros),
        Unit::Millisecond => return fitting(multiple(SECOND / 1_000)),
        Unit::Second => return fitting(multiple(SECOND)),
        Unit::Minute => return fitting(multiple(60 * SECOND)),
        Unit::Hour => return fitting(multiple(3_600 * SECOND)),
        Unit::Day => at.days,
        Unit::Week => at.days + 1 - at.iso_day_of_week(),
        Unit::Month => days_of(year, at.civil.month),
        Unit::Quarter => days_of(year, at.quarter() * 3 - 2),
        Unit::Year => days_of(year, 1),
        Unit::Decade => days_of(decade(year) * 10, 1),
        Unit::Century if year > 0 => days_of(century(year) * 100 - 99, 1),
        Unit::Century => days_of(century(year) * 100 + 1, 1),
        Unit::Millennium if year > 0 => days_of(millennium(year) * 1_000 - 999, 1),
        Unit::Millennium => days_of(millennium(year) * 1_000 + 1, 1),
        other => return Err(unsupported(other, "a timestamp")),
    };
    fitting(i128::from(days) * i128::from(DAY))
}

fn fitting(micros: i128) -> Result<i64> {
    i64::try_from(micros).map_err(|_| out_of_range("timestamp"))
}

fn interval_down_to(unit: Unit, interval: IntervalMonthDayNano) -> Result<IntervalMonthDayNano> {
    let IntervalMonthDayNano { months, days, nanoseconds: nanos } = interval;
    let second = SECOND * MICROSECOND;
    let of_months = |unit: i32| IntervalMonthDayNano::new(months - months % unit, 0, 0);
    let of_nanos = |unit: i64| IntervalMonthDayNano::new(months, days, nanos - nanos % unit);
    Ok(match unit {
        Unit::Nanosecond => interval,
        Unit::Microsecond => of_nanos(MICROSECOND),
        Unit::Millisecond => of_nanos(second / 1_000),
        Unit::Second => of_nanos(second),
        Unit::Minute => of_nanos(60 * second),
        Unit::Hour => of_nanos(3_600 * second),
        Unit::Day => IntervalMonthDayNano::new(months, days, 0),
        Unit::Month => of_months(1),
        Unit::Quarter => of_months(3),
        Unit::Year => of_months(12),
        Unit::Decade => of_months(120),
        Unit::Century => of_months(1_200),
        Unit::Millennium => of_months(12_000),
        other => return Err(unsupported(other, "an interval")),
    })
}
