//! Comparisons of dates and timestamps of different types: right for every day, and on columns as they are where that
//! is possible.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::expr::{Between, InList, ScalarFunction};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, lit};
use kalamdb_types::SqlType;

use crate::functions::datetime::compared_date;
use crate::functions::{CAST_TO, cast_to};

/// A comparison of two operands.
pub(super) fn binary(comparison: BinaryExpr, schema: &DFSchema) -> Transformed<Expr> {
    let mut operands = [*comparison.left, *comparison.right];
    let changed = prepare(&mut operands, schema);
    let [left, right] = operands;
    Transformed::new_transformed(
        Expr::BinaryExpr(BinaryExpr { left: Box::new(left), op: comparison.op, right: Box::new(right) }),
        changed,
    )
}

pub(crate) fn between(between: Between, schema: &DFSchema) -> Transformed<Expr> {
    let mut operands = [*between.expr, *between.low, *between.high];
    let changed = prepare(&mut operands, schema);
    let [expr, low, high] = operands.map(Box::new);
    Transformed::new_transformed(Expr::Between(Between { expr, negated: between.negated, low, high }), changed)
}

pub(crate) fn list(list: InList, schema: &DFSchema) -> Transformed<Expr> {
    let InList { expr, list, negated } = list;
    let mut operands: Vec<Expr> = std::iter::once(*expr).chain(list).collect();
    let changed = prepare(&mut operands, schema);
    let expr = Box::new(operands.remove(0));
    Transformed::new_transformed(Expr::InList(InList { expr, list: operands, negated }), changed)
}

/// One of the expressions that a join compares.
pub(super) fn key(key: Expr, schema: &DFSchema) -> Transformed<Expr> {
    match without_overflow(&key, schema) {
        Some(key) => Transformed::yes(key),
        None => Transformed::no(key),
    }
}

/// Changes the operands that are compared with the first one, and that itself.
fn prepare(operands: &mut [Expr], schema: &DFSchema) -> bool {
    let mut changed = false;
    for operand in operands.iter_mut() {
        if let Some(other) = without_overflow(operand, schema) {
            *operand = other;
            changed = true;
        }
    }
    let Some((first, others)) = operands.split_first_mut() else { return changed };
    // A column that is compared with points in time: those lose their zone, which is UTC, and not each row gets one.
    let column = match cast_of(first) {
        Some((value, SqlType::TimestampTz)) if is_timestamp(value, schema) && value.any_column_refs() => value.clone(),
        _ => match others {
            [other] if !first.any_column_refs() => match cast_of(other) {
                Some((value, SqlType::TimestampTz)) if is_timestamp(value, schema) && value.any_column_refs() => {
                    *other = value.clone();
                    *first = without_zone(first);
                    return true;
                }
                _ => return changed,
            },
            _ => return changed,
        },
    };
    if others.iter().any(Expr::any_column_refs) {
        return changed;
    }
    *first = column;
    others.iter_mut().for_each(|other| *other = without_zone(other));
    true
}

fn without_zone(expr: &Expr) -> Expr {
    cast_to().call(vec![expr.clone(), lit(SqlType::Timestamp.to_string())])
}

fn is_timestamp(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|data_type| matches!(data_type, DataType::Timestamp(_, None)))
}

/// The value of a cast and the type that it gets.
fn cast_of(expr: &Expr) -> Option<(&Expr, SqlType)> {
    let Expr::ScalarFunction(ScalarFunction { func, args }) = expr else { return None };
    match args.as_slice() {
        [value, Expr::Literal(ScalarValue::Utf8(Some(name)), _)] if func.name() == CAST_TO => {
            Some((value, name.parse().ok()?))
        }
        _ => None,
    }
}

/// A date as a timestamp to compare with others: one beyond all timestamps is the farthest.
fn without_overflow(expr: &Expr, schema: &DFSchema) -> Option<Expr> {
    let (value, sql_type) = cast_of(expr)?;
    let is_date = value.get_type(schema).is_ok_and(|data_type| data_type == DataType::Date32);
    let has_zone = match sql_type {
        SqlType::Timestamp => false,
        SqlType::TimestampTz => true,
        _ => return None,
    };
    is_date.then(|| compared_date(has_zone).call(vec![value.clone()]))
}
