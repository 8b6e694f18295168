//! Days as timestamps that are only compared.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use kalamdb_types::SqlType;
use kalamdb_types::calendar::DAY;

use super::values::{Dates, each_timestamp};
use crate::error::Result;
use crate::functions::{field, function};

/// Gives a day's first moment; a day beyond all timestamps gives the farthest of them.
pub(crate) fn compared_date(has_zone: bool) -> Arc<ScalarUDF> {
    if has_zone {
        function(&["compared_date_tz"], |name, _| Ok(field(name, SqlType::TimestampTz)), compared)
    } else {
        function(&["compared_date"], |name, _| Ok(field(name, SqlType::Timestamp)), compared)
    }
}

fn compared(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let dates = Dates::of(args, 0, SqlType::Date)?;
    each_timestamp(args, |row| Ok(dates.get(row).map(|days| i64::from(days).saturating_mul(DAY))))
}
