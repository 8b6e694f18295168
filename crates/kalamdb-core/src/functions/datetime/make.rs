//! `make_date` and its like: dates, times and intervals of numbers.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{Date32Type, Field, FieldRef, Int64Type, Time64MicrosecondType};
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use kalamdb_types::SqlType;
use kalamdb_types::calendar::{Civil, DAY, SECOND};

use super::shift::{MICROSECOND, interval};
use super::values::{Kind, Numbers, Values, each, each_interval, each_timestamp, out_of_range};
use super::zones::Zones;
use crate::error::{Error, ErrorKind, Result};
use crate::functions::{field, function, no_such_function};

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![
        function(&["make_date"], |name, args| returns(name, args, 3, SqlType::Date), make_date),
        function(&["make_time"], |name, args| returns(name, args, 3, SqlType::Time), make_time),
        function(&["make_timestamp"], |name, args| returns(name, args, 6, SqlType::Timestamp), make_timestamp),
        function(&["make_timestamptz"], returns_timestamptz, make_timestamp),
        function(&["make_interval"], returns_interval, make_interval),
    ]
}

fn is_number(arg: &FieldRef) -> bool {
    matches!(Kind::of(arg.data_type()), Kind::Integer | Kind::Number | Kind::Text | Kind::Null)
}

fn returns(name: &str, args: &[FieldRef], n_args: usize, sql_type: SqlType) -> Result<Field> {
    if args.len() == n_args && args.iter().all(is_number) {
        Ok(field(name, sql_type))
    } else {
        Err(no_such_function(name, args))
    }
}

fn returns_timestamptz(name: &str, args: &[FieldRef]) -> Result<Field> {
    match args {
        [numbers @ .., zone] if numbers.len() == 6 && matches!(Kind::of(zone.data_type()), Kind::Text | Kind::Null) => {
            returns(name, numbers, 6, SqlType::TimestampTz)
        }
        args => returns(name, args, 6, SqlType::TimestampTz),
    }
}

fn returns_interval(name: &str, args: &[FieldRef]) -> Result<Field> {
    returns(name, args, args.len().min(7), SqlType::Interval)
}

/// The arguments that are integers.
fn integers<const N: usize>(args: &ScalarFunctionArgs, from: usize) -> Result<[Values<Int64Type>; N]> {
    let values = (from..from + N).map(|index| Values::of(args, index, SqlType::BigInt)).collect::<Result<Vec<_>>>()?;
    values.try_into().map_err(|_| Error::internal("an argument is missing"))
}

fn make_date(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let [years, months, days] = integers::<3>(args, 0)?;
    let dates = each::<Date32Type>(args, |row| match (years.get(row), months.get(row), days.get(row)) {
        (Some(year), Some(month), Some(day)) => {
            i32::try_from(date(year, month, day)?).map(Some).map_err(|_| out_of_range("date"))
        }
        _ => Ok(None),
    })?;
    Ok(Arc::new(dates))
}

/// Days since 1970-01-01; a negative year is before Christ.
fn date(year: i64, month: i64, day: i64) -> Result<i64> {
    let civil = Civil { year: if year < 0 { year + 1 } else { year }, month, day };
    let is_year = year != 0 && year.abs() <= 6_000_000;
    if is_year && civil.exists() {
        Ok(civil.to_days())
    } else {
        Err(out_of_range(&format!("date field value {year}-{month:02}-{day:02}")))
    }
}

fn make_time(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let [hours, minutes] = integers::<2>(args, 0)?;
    let seconds = Numbers::of(args, 2, SqlType::Double)?;
    let times =
        each::<Time64MicrosecondType>(args, |row| match (hours.get(row), minutes.get(row), seconds.get(row)) {
            (Some(hour), Some(minute), Some(second)) => match time(hour, minute, second)? {
                time if time < DAY => Ok(Some(time)),
                _ => Err(time_out_of_range(hour, minute, second)),
            },
            _ => Ok(None),
        })?;
    Ok(Arc::new(times))
}

/// Microseconds since midnight, at most a whole day.
fn time(hour: i64, minute: i64, second: f64) -> Result<i64> {
    let is_fine = (0..=24).contains(&hour) && (0..60).contains(&minute) && (0.0..=60.0).contains(&second);
    let micros = (second * SECOND as f64).round() as i64;
    let total = if is_fine { (hour * 60 + minute) * 60 * SECOND + micros } else { i64::MAX };
    if total <= DAY { Ok(total) } else { Err(time_out_of_range(hour, minute, second)) }
}

fn time_out_of_range(hour: i64, minute: i64, second: f64) -> Error {
    out_of_range(&format!("time field value {hour:02}:{minute:02}:{second:02}"))
}

fn make_timestamp(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let [years, months, days, hours, minutes] = integers::<5>(args, 0)?;
    let seconds = Numbers::of(args, 5, SqlType::Double)?;
    let mut zones = if args.args.len() == 7 { Some(Zones::of(args, 6)?) } else { None };
    each_timestamp(args, |row| {
        let day = (years.get(row), months.get(row), days.get(row));
        let clock = (hours.get(row), minutes.get(row), seconds.get(row));
        let ((Some(year), Some(month), Some(day)), (Some(hour), Some(minute), Some(second))) = (day, clock) else {
            return Ok(None);
        };
        let micros = i128::from(date(year, month, day)?) * i128::from(DAY) + i128::from(time(hour, minute, second)?);
        let micros = i64::try_from(micros).map_err(|_| out_of_range("timestamp"))?;
        match &mut zones {
            None => Ok(Some(micros)),
            Some(zones) => zones.get(row)?.map(|zone| zone.to_utc(micros)).transpose(),
        }
    })
}

/// Years, months, weeks, days, hours, minutes and seconds, as many as are given.
fn make_interval(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let n_integers = args.args.len().min(6);
    let parts = (0..n_integers)
        .map(|index| Values::<Int64Type>::of(args, index, SqlType::BigInt))
        .collect::<Result<Vec<_>>>()?;
    let seconds = if args.args.len() == 7 { Some(Numbers::of(args, 6, SqlType::Double)?) } else { None };
    each_interval(args, |row| {
        let mut numbers = [0_i128; 6];
        for (number, part) in numbers.iter_mut().zip(&parts) {
            let Some(value) = part.get(row) else { return Ok(None) };
            *number = value.into();
        }
        let micros = match &seconds {
            None => 0.0,
            Some(seconds) => match seconds.get(row) {
                Some(seconds) => (seconds * SECOND as f64).round(),
                None => return Ok(None),
            },
        };
        if !micros.is_finite() || micros.abs() > 1e18 {
            return Err(Error::new(ErrorKind::DatetimeFieldOverflow, "interval out of range"));
        }
        let [years, months, weeks, days, hours, minutes] = numbers;
        let nanos = ((hours * 60 + minutes) * 60 * i128::from(SECOND) + micros as i128) * i128::from(MICROSECOND);
        interval(years * 12 + months, weeks * 7 + days, nanos).map(Some)
    })
}
