//! JSON: operators and functions with PostgreSQL's meaning, over JSON texts.

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use super::operators::Operators;
use super::{access, aggregate, build, inspect, parts, set};

/// The aggregates.
pub(crate) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    aggregate::all()
}

/// The functions, those included that `operators` stand for.
pub(crate) fn all(operators: &Operators) -> Vec<Arc<ScalarUDF>> {
    let mut functions =
        [access::typed(), inspect::all(), build::all(), parts::all(), set::all(), operators.functions()].concat();
    functions.push(access::contains_path());
    functions
}
