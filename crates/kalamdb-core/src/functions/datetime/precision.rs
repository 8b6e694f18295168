//! Times and timestamps with fewer digits after the point: what `CAST(value AS TIMESTAMP(3))` does after the cast
//! itself.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{Field, FieldRef, Int64Type, Time64MicrosecondType};
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use kalamdb_types::SqlType;
use kalamdb_types::calendar::{DAY, SECOND};

use super::values::{Kind, Times, Timestamps, Values, each, each_timestamp, out_of_range};
use crate::error::{Error, ErrorKind, Result};
use crate::functions::{field, function, no_such_function};

/// The name of the function.
pub(crate) const WITH_PRECISION: &str = "with_precision";

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![function(&[WITH_PRECISION], returns, with_precision)]
}

fn returns(name: &str, args: &[FieldRef]) -> Result<Field> {
    match args {
        [value, digits] if Kind::of(digits.data_type()) == Kind::Integer => match Kind::of(value.data_type()) {
            Kind::Time => Ok(field(name, SqlType::Time)),
            Kind::Timestamp => Ok(field(name, SqlType::Timestamp)),
            Kind::TimestampTz => Ok(field(name, SqlType::TimestampTz)),
            _ => Err(no_such_function(name, args)),
        },
        _ => Err(no_such_function(name, args)),
    }
}

fn with_precision(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let digits = Values::<Int64Type>::of(args, 1, SqlType::BigInt)?;
    let result_type = SqlType::of_field(&args.return_field).ok_or_else(|| Error::internal("a function has a type"))?;
    if result_type == SqlType::Time {
        let times = Times::of(args, 0, SqlType::Time)?;
        let times = each::<Time64MicrosecondType>(args, |row| match (times.get(row), digits.get(row)) {
            (Some(time), Some(digits)) => match rounded(time, digits)? {
                time if time < DAY => Ok(Some(time)),
                // There is no 24:00.
                _ => Err(out_of_range("time")),
            },
            _ => Ok(None),
        })?;
        return Ok(Arc::new(times));
    }
    let timestamps = Timestamps::of(args, 0, result_type)?;
    each_timestamp(args, |row| match (timestamps.get(row), digits.get(row)) {
        (Some(micros), Some(digits)) => {
            let since = micros.checked_sub(YEAR_2000).ok_or_else(|| out_of_range("timestamp"))?;
            rounded(since, digits)?.checked_add(YEAR_2000).map(Some).ok_or_else(|| out_of_range("timestamp"))
        }
        _ => Ok(None),
    })
}

/// Where PostgreSQL counts timestamps from.
const YEAR_2000: i64 = 946_684_800 * SECOND;

/// The nearest with so many digits; halves go away from 0.
fn rounded(micros: i64, digits: i64) -> Result<i64> {
    let digits = u32::try_from(digits).ok().filter(|digits| *digits <= 6);
    let digits =
        digits.ok_or_else(|| Error::new(ErrorKind::InvalidParameterValue, "the precision of a time is 0 to 6"))?;
    let unit = i128::from(SECOND / 10_i64.pow(digits));
    let size = (i128::from(micros.unsigned_abs()) + unit / 2) / unit * unit;
    i64::try_from(if micros < 0 { -size } else { size }).map_err(|_| out_of_range("timestamp"))
}
