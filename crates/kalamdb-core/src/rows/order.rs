//! The order by which indexes sort.

use datafusion::arrow::compute::SortOptions;

/// The order of look-ups: NULL before every value.
pub(crate) const ORDER: SortOptions = SortOptions { descending: false, nulls_first: true };
