//! Dates, times and intervals as PostgreSQL has them: microseconds everywhere, no year too far, and an error where a result does not fit.

mod age;
mod average;
mod bins;
mod compare;
mod extract;
mod fields;
mod format;
mod make;
mod now;
mod operators;
mod pattern;
mod precision;
mod series;
mod series_array;
mod shift;
mod trunc;
mod unix;
mod values;
mod zone;
mod zones;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

pub(crate) use average::IntervalTotal;
pub(crate) use compare::compared_date;
pub(crate) use operators::{Operators, operation, operation_again};
pub(crate) use precision::WITH_PRECISION;
pub(crate) use series::series;
pub(super) use series_array::array_functions;
pub(crate) use shift::length as interval_length;

/// All of them, in place of DataFusion's of the same names.
pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    [now::all(), extract::all(), trunc::all(), bins::all(), age::all(), make::all(), unix::all(), zone::all(), format::all(), precision::all()]
        .concat()
}
