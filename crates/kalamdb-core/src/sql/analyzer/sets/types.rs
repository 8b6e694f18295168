//! The types of the columns of a set.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::type_coercion::binary::type_union_coercion;
use datafusion::logical_expr::{Expr, LogicalPlan};

use crate::error::{Error, ErrorKind, into_datafusion};

/// The type that both columns get; a text that is written as a constant is one of any type.
pub(crate) fn common_type(
    set: &str,
    left: &DataType,
    left_is_constant: bool,
    right: &DataType,
    right_is_constant: bool,
) -> Result<DataType> {
    let is_text = |data_type: &DataType| matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let common = match (is_text(left), is_text(right)) {
        _ if left == right => Some(left.clone()),
        _ if left.is_null() => Some(right.clone()),
        _ if right.is_null() => Some(left.clone()),
        (true, false) if left_is_constant => Some(right.clone()),
        (false, true) if right_is_constant => Some(left.clone()),
        (true, false) | (false, true) => None,
        _ if left.is_numeric() != right.is_numeric() => None,
        _ => type_union_coercion(left, right),
    };
    common.ok_or_else(|| {
        let message = format!("{set} types {} and {} cannot be matched", name(left), name(right));
        into_datafusion(Error::new(ErrorKind::DatatypeMismatch, message).with_hint("cast one of them"))
    })
}

/// Whether a column is a text that is written as a constant in the SELECT itself.
pub(super) fn is_constant_text(plan: &LogicalPlan, column: usize) -> bool {
    let is_text = |expr: &Expr| {
        matches!(
            expr.clone().unalias(),
            Expr::Literal(
                ScalarValue::Utf8(Some(_)) | ScalarValue::Utf8View(Some(_)) | ScalarValue::LargeUtf8(Some(_)),
                _
            )
        )
    };
    match plan {
        LogicalPlan::Projection(projection) => projection.expr.get(column).is_some_and(is_text),
        LogicalPlan::Sort(_) | LogicalPlan::Limit(_) | LogicalPlan::Distinct(_) | LogicalPlan::SubqueryAlias(_) => {
            plan.inputs().first().is_some_and(|input| is_constant_text(input, column))
        }
        _ => false,
    }
}

/// Whether rows of `to` can hold what a recursive term has: a term may be of another width, but of no other kind.
pub(super) fn may_recur(to: &DataType, from: &DataType) -> bool {
    let is_text = |data_type: &DataType| matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let is_decimal = |data_type: &DataType| matches!(data_type, DataType::Decimal128(..) | DataType::Decimal256(..));
    to == from
        || from.is_null()
        || to.is_integer() && from.is_integer()
        || is_decimal(to) && (is_decimal(from) || from.is_integer())
        || to.is_floating() && from.is_numeric()
        || is_text(to) && is_text(from)
        || !to.is_numeric() && !is_text(to) && type_union_coercion(to, from).is_some_and(|common| common == *to)
        || matches!((to, from), (DataType::List(_), DataType::List(_)))
}

/// What an error calls a type.
pub(super) fn name(data_type: &DataType) -> String {
    kalamdb_types::type_name(&datafusion::arrow::datatypes::Field::new("", data_type.clone(), true))
}

pub(crate) fn type_of(schema: &DFSchema, column: usize) -> DataType {
    schema.fields().get(column).map_or(DataType::Null, |field| field.data_type().clone())
}
