//! Copies of values that keep no other memory alive.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, MutableArrayData, make_array};
use datafusion::arrow::datatypes::DataType;
use datafusion::error::Result;

use super::size::compact_views;

/// A copy of the values alone: a slice would keep the whole array in memory.
pub(crate) fn compact(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(match array.data_type() {
        DataType::Utf8View | DataType::BinaryView => compact_views(Arc::clone(array)),
        _ => {
            let data = array.to_data();
            let mut copy = MutableArrayData::new(vec![&data], false, array.len());
            copy.try_extend(0, 0, array.len())?;
            make_array(copy.freeze())
        }
    })
}
