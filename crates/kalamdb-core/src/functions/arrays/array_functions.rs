//! All functions of arrays.

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::operators::Operators;
use super::{any_all, elements};

pub(crate) fn all(operators: &Operators) -> Vec<Arc<ScalarUDF>> {
    [any_all::all(), elements::all(), operators.functions()].concat()
}
