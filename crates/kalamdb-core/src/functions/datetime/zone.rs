//! `timezone(zone, value)`, which `value AT TIME ZONE zone` is planned as.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{Field, FieldRef};
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use kalamdb_types::SqlType;

use super::values::{Kind, Timestamps, each_timestamp};
use super::zones::Zones;
use crate::error::Result;
use crate::functions::{field, function, no_such_function};

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![function(&["timezone", "to_local_time"], returns, timezone)]
}

/// A timestamp becomes the point in time when the zone's clocks show it, a point in time what they show then.
fn returns(name: &str, args: &[FieldRef]) -> Result<Field> {
    let kinds: Vec<Kind> = args.iter().map(|arg| Kind::of(arg.data_type())).collect();
    match kinds.as_slice() {
        [Kind::Text | Kind::Interval | Kind::Null, Kind::Timestamp] => Ok(field(name, SqlType::TimestampTz)),
        [Kind::Text | Kind::Interval | Kind::Null, Kind::TimestampTz | Kind::Date | Kind::Text | Kind::Null] => {
            Ok(field(name, SqlType::Timestamp))
        }
        // to_local_time(value)
        [Kind::TimestampTz | Kind::Timestamp | Kind::Date | Kind::Text | Kind::Null] => {
            Ok(field(name, SqlType::Timestamp))
        }
        _ => Err(no_such_function(name, args)),
    }
}

fn timezone(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    if args.args.len() == 1 {
        let timestamps = Timestamps::of(args, 0, SqlType::Timestamp)?;
        return each_timestamp(args, |row| Ok(timestamps.get(row)));
    }
    let from_local = args.arg_fields.get(1).is_some_and(|arg| Kind::of(arg.data_type()) == Kind::Timestamp);
    let timestamps = Timestamps::of(args, 1, if from_local { SqlType::Timestamp } else { SqlType::TimestampTz })?;
    let mut zones = Zones::of(args, 0)?;
    each_timestamp(args, |row| match (zones.get(row)?, timestamps.get(row)) {
        (Some(zone), Some(micros)) if from_local => zone.to_utc(micros).map(Some),
        (Some(zone), Some(micros)) => zone.to_local(micros).map(Some),
        _ => Ok(None),
    })
}
