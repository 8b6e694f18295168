//! The order by which indexes sort.

use datafusion::arrow::compute::SortOptions;

/// The order that look-ups go by: NULL before everything.
pub(crate) const ORDER: SortOptions = SortOptions { descending: false, nulls_first: true };
