//! The least and the greatest value of a column of a segment.

use std::cmp::Ordering;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, UInt32Array, make_comparator};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::DataType;
use kalamdb_types::SqlType;

use crate::error::Result;
use crate::rows::{ORDER, compact_views};

/// Longer texts are not kept in manifests.
const MAX_TEXT_BYTES: usize = 64;

/// The least and the greatest value of a column; `None` if it has none, or its type no order that pruning could use.
pub(crate) fn bounds_of(column: &ArrayRef, sql_type: &SqlType) -> Result<Option<ArrayRef>> {
    if column.null_count() == column.len() || !has_order(sql_type) {
        return Ok(None);
    }
    let compare = make_comparator(column, column, ORDER)?;
    let mut rows = (0..column.len()).filter(|row| column.is_valid(*row));
    let Some(first) = rows.next() else { return Ok(None) };
    let (mut least, mut greatest) = (first, first);
    for row in rows {
        if compare(row, least) == Ordering::Less {
            least = row;
        }
        if compare(row, greatest) == Ordering::Greater {
            greatest = row;
        }
    }
    let rows: UInt32Array = [least, greatest].into_iter().map(|row| u32::try_from(row).ok()).collect();
    let bounds = take(column, &rows, None)?;
    Ok(is_short(&bounds).then(|| compact_views(bounds)))
}

/// Floats have two zeros, which are equal and are not at one place of the order.
fn has_order(sql_type: &SqlType) -> bool {
    match sql_type {
        SqlType::Real
        | SqlType::Double
        | SqlType::Interval
        | SqlType::Json
        | SqlType::Bytea
        | SqlType::Embedding(_)
        | SqlType::Array(_) => false,
        SqlType::Boolean
        | SqlType::TinyInt
        | SqlType::SmallInt
        | SqlType::Integer
        | SqlType::BigInt
        | SqlType::TinyIntUnsigned
        | SqlType::SmallIntUnsigned
        | SqlType::IntegerUnsigned
        | SqlType::BigIntUnsigned
        | SqlType::Decimal(..)
        | SqlType::Text
        | SqlType::Varchar(_)
        | SqlType::Date
        | SqlType::Time
        | SqlType::Timestamp
        | SqlType::TimestampTz
        | SqlType::Uuid => true,
    }
}

fn is_short(bounds: &ArrayRef) -> bool {
    match bounds.data_type() {
        DataType::Utf8View => bounds.as_string_view().iter().flatten().all(|text| text.len() <= MAX_TEXT_BYTES),
        _ => true,
    }
}
