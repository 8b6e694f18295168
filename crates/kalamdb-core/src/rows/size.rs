//! The memory that values take.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::DataType;

/// The memory that the values take by themselves, whatever else is in the buffers that they share.
pub(crate) fn memory_of(column: &ArrayRef) -> usize {
    // The lower half of a view is the length of its value.
    let views = |views: &[u128]| views.iter().map(|view| size_of::<u128>() + (*view as u32) as usize).sum();
    match column.data_type() {
        DataType::Utf8View => views(column.as_string_view().views()),
        DataType::BinaryView => views(column.as_binary_view().views()),
        _ => column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size()),
    }
}

/// Text and byte views keep the buffers of all that they were concatenated from; a merged chunk holds one copy instead.
pub(crate) fn compact_views(array: ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Utf8View => Arc::new(array.as_string_view().gc()),
        DataType::BinaryView => Arc::new(array.as_binary_view().gc()),
        _ => array,
    }
}
