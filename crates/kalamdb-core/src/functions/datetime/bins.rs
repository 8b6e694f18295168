//! `date_bin`.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{Field, FieldRef, IntervalMonthDayNano};
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use kalamdb_types::SqlType;
use kalamdb_types::calendar::DAY;

use super::shift::MICROSECOND;
use super::values::{Intervals, Kind, Timestamps, each_timestamp, out_of_range};
use crate::error::{Error, ErrorKind, Result};
use crate::functions::{field, function, no_such_function};

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![function(&["date_bin"], returns, date_bin)]
}

fn returns(name: &str, args: &[FieldRef]) -> Result<Field> {
    let kinds: Vec<Kind> = args.iter().map(|arg| Kind::of(arg.data_type())).collect();
    let is_fine = |kind: &Kind| kind.is_moment() || matches!(kind, Kind::Text | Kind::Null);
    match kinds.as_slice() {
        [Kind::Interval | Kind::Text | Kind::Null, moments @ ..]
            if matches!(moments.len(), 1 | 2) && moments.iter().all(is_fine) =>
        {
            Ok(field(name, if moments.contains(&Kind::Timestamp) { SqlType::Timestamp } else { SqlType::TimestampTz }))
        }
        _ => Err(no_such_function(name, args)),
    }
}

/// Without an origin the bins begin at 1970-01-01.
fn date_bin(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let result_type = SqlType::of_field(&args.return_field).ok_or_else(|| Error::internal("a function has a type"))?;
    let strides = Intervals::of(args, 0, SqlType::Interval)?;
    let timestamps = Timestamps::of(args, 1, result_type)?;
    let origins = if args.args.len() == 3 { Some(Timestamps::of(args, 2, result_type)?) } else { None };
    each_timestamp(args, |row| {
        let origin = match &origins {
            Some(origins) => origins.get(row),
            None => Some(0),
        };
        match (strides.get(row), timestamps.get(row), origin) {
            (Some(stride), Some(micros), Some(origin)) => bin(stride, micros, origin).map(Some),
            _ => Ok(None),
        }
    })
}

fn bin(stride: IntervalMonthDayNano, micros: i64, origin: i64) -> Result<i64> {
    if stride.months != 0 {
        return Err(Error::unsupported("binning timestamps into intervals of months or years"));
    }
    let stride = i128::from(stride.days) * i128::from(DAY) + i128::from(stride.nanoseconds / MICROSECOND);
    if stride <= 0 {
        return Err(Error::new(ErrorKind::DatetimeFieldOverflow, "stride must be greater than zero"));
    }
    let (micros, origin) = (i128::from(micros), i128::from(origin));
    i64::try_from(origin + (micros - origin).div_euclid(stride) * stride).map_err(|_| out_of_range("timestamp"))
}
