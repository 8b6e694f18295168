//! Dates, times and intervals as PostgreSQL has them: microseconds everywhere, no year too far, and an error where a
//! result does not fit.

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::{age, bins, extract, format, make, now, precision, trunc, unix, zone};

/// All of them, in place of DataFusion's of the same names.
pub(crate) fn all() -> Vec<Arc<ScalarUDF>> {
    [
        now::all(),
        extract::all(),
        trunc::all(),
        bins::all(),
        age::all(),
        make::all(),
        unix::all(),
        zone::all(),
        format::all(),
        precision::all(),
    ]
    .concat()
}
