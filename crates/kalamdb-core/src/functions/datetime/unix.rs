//! Points in time from and to numbers: `to_timestamp`, `from_unixtime`, `to_unixtime`, and dates and times from text.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{Field, FieldRef, Int64Type};
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use kalamdb_types::calendar::SECOND;
use kalamdb_types::{Source, SqlType, coerce};

use super::values::{Kind, Numbers, Timestamps, Values, each, each_timestamp, out_of_range};
use crate::error::{Error, ErrorKind, Result};
use crate::functions::datetime::pattern::parse_with;
use crate::functions::{array, field, function, no_such_function};

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![
        function(&["to_timestamp"], returns_timestamp, |args| to_timestamp(args, SECOND)),
        function(&["to_timestamp_seconds"], returns_timestamp, |args| to_timestamp(args, SECOND)),
        function(&["to_timestamp_millis"], returns_timestamp, |args| to_timestamp(args, 1_000)),
        function(&["to_timestamp_micros"], returns_timestamp, |args| to_timestamp(args, 1)),
        function(&["to_timestamp_nanos"], returns_timestamp, |args| to_timestamp(args, 0)),
        function(&["from_unixtime"], returns_timestamp, |args| to_timestamp(args, SECOND)),
        function(&["to_unixtime"], returns_unixtime, to_unixtime),
        function(&["to_date"], |name, args| returns_of_text(name, args, SqlType::Date), of_text),
        function(&["to_time"], |name, args| returns_of_text(name, args, SqlType::Time), of_text),
    ]
}

/// Numbers count from 1970 in UTC, so that they have a zone; so has text that is read by a template. Other text has the
/// zone that it names.
fn returns_timestamp(name: &str, args: &[FieldRef]) -> Result<Field> {
    let kinds: Vec<Kind> = args.iter().map(|arg| Kind::of(arg.data_type())).collect();
    match kinds.as_slice() {
        [Kind::Integer | Kind::Number | Kind::TimestampTz | Kind::Null]
        | [Kind::Text | Kind::Null, Kind::Text | Kind::Null] => Ok(field(name, SqlType::TimestampTz)),
        [Kind::Text | Kind::Timestamp | Kind::Date] => Ok(field(name, SqlType::Timestamp)),
        _ => Err(no_such_function(name, args)),
    }
}

/// `per_unit` is how many microseconds one of the number is; 0 if it is a nanosecond.
fn to_timestamp(args: &ScalarFunctionArgs, per_unit: i64) -> Result<ArrayRef> {
    if args.args.len() == 2 {
        return parse_with(args, &SqlType::TimestampTz);
    }
    let kind = args.arg_fields.first().map_or(Kind::Other, |arg| Kind::of(arg.data_type()));
    match kind {
        Kind::Integer => {
            let counts = Values::<Int64Type>::of(args, 0, SqlType::BigInt)?;
            each_timestamp(args, |row| match counts.get(row) {
                Some(count) if per_unit == 0 => Ok(Some(count.div_euclid(1_000))),
                Some(count) => count.checked_mul(per_unit).map(Some).ok_or_else(|| out_of_range("timestamp")),
                None => Ok(None),
            })
        }
        Kind::Number => {
            let numbers = Numbers::of(args, 0, SqlType::Double)?;
            let factor = if per_unit == 0 { 1e-3 } else { per_unit as f64 };
            each_timestamp(args, |row| numbers.get(row).map(|number| of_number(number, factor)).transpose())
        }
        _ => {
            let result_type =
                SqlType::of_field(&args.return_field).ok_or_else(|| Error::internal("a function has a type"))?;
            let timestamps = Timestamps::of(args, 0, result_type)?;
            each_timestamp(args, |row| Ok(timestamps.get(row)))
        }
    }
}

fn of_number(number: f64, factor: f64) -> Result<i64> {
    if number.is_nan() {
        return Err(Error::new(ErrorKind::DatetimeFieldOverflow, "timestamp cannot be NaN"));
    }
    // The whole and the fraction apart, so that whole seconds stay exact.
    let micros = number.trunc() * factor + (number.fract() * factor).round();
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&micros);
    if fits { Ok(micros as i64) } else { Err(out_of_range("timestamp")) }
}

fn returns_unixtime(name: &str, args: &[FieldRef]) -> Result<Field> {
    match args {
        [arg]
            if Kind::of(arg.data_type()).is_moment()
                || matches!(Kind::of(arg.data_type()), Kind::Text | Kind::Null) =>
        {
            Ok(field(name, SqlType::BigInt))
        }
        _ => Err(no_such_function(name, args)),
    }
}

fn to_unixtime(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let timestamps = Timestamps::of(args, 0, SqlType::TimestampTz)?;
    Ok(Arc::new(each::<Int64Type>(args, |row| Ok(timestamps.get(row).map(|micros| micros.div_euclid(SECOND))))?))
}

fn returns_of_text(name: &str, args: &[FieldRef], sql_type: SqlType) -> Result<Field> {
    let kinds: Vec<Kind> = args.iter().map(|arg| Kind::of(arg.data_type())).collect();
    let is_fine = match kinds.as_slice() {
        [Kind::Text | Kind::Null, Kind::Text | Kind::Null] => true,
        [kind] => kind.is_moment() || matches!(kind, Kind::Time | Kind::Text | Kind::Null),
        _ => false,
    };
    if is_fine { Ok(field(name, sql_type)) } else { Err(no_such_function(name, args)) }
}

fn of_text(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let result_type = SqlType::of_field(&args.return_field).ok_or_else(|| Error::internal("a function has a type"))?;
    if args.args.len() == 2 {
        return parse_with(args, &result_type);
    }
    let arg = args.arg_fields.first().ok_or_else(|| Error::internal("an argument is missing"))?;
    Ok(coerce(&array(args, 0)?, arg, &result_type, Source::Sql)?)
}
