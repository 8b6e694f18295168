//! JSON: operators and functions with PostgreSQL's meaning, over JSON texts.

mod access;
mod aggregate;
mod build;
mod change;
mod inspect;
mod operators;
mod path;

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

pub(super) use operators::Operators;

/// The aggregates.
pub(super) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    aggregate::all()
}

/// The functions, those included that `operators` stand for.
pub(super) fn all(operators: &Operators) -> Vec<Arc<ScalarUDF>> {
    let mut functions = [access::typed(), inspect::all(), build::all(), operators.functions()].concat();
    functions.push(access::contains_path());
    functions
}
