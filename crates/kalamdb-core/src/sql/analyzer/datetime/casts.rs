//! Casts of dates and times that the planner adds by itself: to microseconds, by our own rules, and so that no far day
//! breaks a comparison.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, DFSchemaRef, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, RecursiveQuery, Union, Values, lit,
};
use datafusion::optimizer::AnalyzerRule;
use kalamdb_types::{SqlType, type_name};

use super::comparisons;
use crate::error::{Error, ErrorKind, into_datafusion};
use crate::functions::cast_to;
use crate::functions::datetime::{operation as datetime_operation, operation_again as datetime_operation_again};
use crate::sql::analyzer::{any_expression, any_node, compares, expressions};

/// Replaces casts. It comes after the operands have got their types.
#[derive(Debug)]
pub(crate) struct DatetimeCasts;

impl AnalyzerRule for DatetimeCasts {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        if !holds(&plan, may_be_replaced)? {
            return Ok(plan);
        }
        Ok(plan.transform_up_with_subqueries(node)?.data)
    }

    fn name(&self) -> &'static str {
        "datetime_casts"
    }
}

/// Replaces operators of parameters, which had no type when the statement was planned. It comes before other types are
/// found for them.
#[derive(Debug)]
pub(crate) struct DatetimeOperators;

impl AnalyzerRule for DatetimeOperators {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        // A parameter is a literal by now.
        let is_candidate = |expr: &Expr| match expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                matches!(op, Operator::Plus | Operator::Minus | Operator::Multiply | Operator::Divide)
                    && (matches!(left.as_ref(), Expr::Literal(..)) || matches!(right.as_ref(), Expr::Literal(..)))
            }
            Expr::ScalarFunction(call) => {
                call.func.name().starts_with("datetime_")
                    && call.args.iter().any(|arg| matches!(arg, Expr::Literal(..)))
            }
            _ => false,
        };
        if !holds(&plan, is_candidate)? {
            return Ok(plan);
        }
        let operators = |node: LogicalPlan| {
            let mut schema = merge_schema(&node.inputs());
            if let LogicalPlan::TableScan(scan) = &node {
                schema.merge(&DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())?);
            }
            let node = expressions::rewrite(node, |expr| match &expr {
                Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_candidate(&expr) => {
                    Ok(match datetime_operation(left, *op, right, &schema)? {
                        Some(call) => Transformed::yes(call),
                        None => Transformed::no(expr),
                    })
                }
                Expr::ScalarFunction(call) if is_candidate(&expr) => {
                    Ok(match datetime_operation_again(call, &schema)? {
                        Some(call) => Transformed::yes(call),
                        None => Transformed::no(expr),
                    })
                }
                _ => Ok(Transformed::no(expr)),
            })?;
            if node.transformed { node.map_data(LogicalPlan::recompute_schema) } else { Ok(node) }
        };
        Ok(plan.transform_up_with_subqueries(operators)?.data)
    }

    fn name(&self) -> &'static str {
        "datetime_operators"
    }
}

/// Whether the plan holds such an expression.
fn holds(plan: &LogicalPlan, is_wanted: impl Fn(&Expr) -> bool) -> Result<bool> {
    any_node(plan, |node| any_expression(node, |expr| expr.exists(|expr| Ok(is_wanted(expr)))))
}

/// Whether it is a cast or a constant of dates and times that may have to be another.
fn may_be_replaced(expr: &Expr) -> bool {
    match expr {
        Expr::Cast(Cast { field, .. }) => is_datetime(field.data_type()) || is_text(field.data_type()),
        Expr::Literal(value, _) => is_other_unit(&value.data_type()),
        Expr::OuterReferenceColumn(field, _) => is_other_unit(field.data_type()),
        _ => false,
    }
}

fn is_datetime(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Date32
            | DataType::Date64
            | DataType::Time32(_)
            | DataType::Time64(_)
            | DataType::Timestamp(..)
            | DataType::Interval(_)
            | DataType::Duration(_)
    )
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// The type that dates and times of other units have here.
fn normal(data_type: &DataType) -> Option<SqlType> {
    Some(match data_type {
        DataType::Date32 | DataType::Date64 => SqlType::Date,
        DataType::Time32(_) | DataType::Time64(_) => SqlType::Time,
        DataType::Timestamp(_, None) => SqlType::Timestamp,
        DataType::Timestamp(_, Some(_)) => SqlType::TimestampTz,
        DataType::Interval(_) => SqlType::Interval,
        _ => return None,
    })
}

fn is_other_unit(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(TimeUnit::Nanosecond, _) | DataType::Time64(TimeUnit::Nanosecond))
}

fn node(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let mut schema = merge_schema(&node.inputs());
    if let LogicalPlan::TableScan(scan) = &node {
        schema.merge(&DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())?);
    }
    let is_join = matches!(node, LogicalPlan::Join(_));
    let node = expressions::rewrite(node, |expr| rewrite(expr, &schema))?;
    // The keys of a join are compared.
    let node = if is_join {
        node.transform_data(|node| node.map_expressions(|expr| Ok(comparisons::key(expr, &schema))))?
    } else {
        node
    };
    // Types above may follow from those that have changed below.
    node.map_data(with_new_types).map(|node| Transformed::yes(node.data))
}

/// The node with the types that its inputs and expressions have now.
fn with_new_types(node: LogicalPlan) -> Result<LogicalPlan> {
    Ok(match node {
        LogicalPlan::Union(Union { inputs, schema }) => {
            let types = inputs.first().map(|input| types_of(input.schema()));
            LogicalPlan::Union(Union { schema: with_types(&schema, types)?, inputs })
        }
        LogicalPlan::Values(Values { schema, values }) => {
            let types = values
                .first()
                .map(|row| row.iter().map(|value| value.get_type(&DFSchema::empty())).collect::<Result<Vec<_>>>());
            LogicalPlan::Values(Values { schema: with_types(&schema, types.transpose()?)?, values })
        }
        LogicalPlan::RecursiveQuery(query) => {
            let types = types_of(query.static_term.schema());
            LogicalPlan::RecursiveQuery(RecursiveQuery { schema: with_types(&query.schema, Some(types))?, ..query })
        }
        other => other.recompute_schema()?,
    })
}

fn types_of(schema: &DFSchema) -> Vec<DataType> {
    schema.fields().iter().map(|field| field.data_type().clone()).collect()
}

/// A schema whose dates and times have these types.
fn with_types(schema: &DFSchemaRef, types: Option<Vec<DataType>>) -> Result<DFSchemaRef> {
    let Some(types) = types.filter(|types| types.len() == schema.fields().len()) else { return Ok(Arc::clone(schema)) };
    let is_same = schema
        .fields()
        .iter()
        .zip(&types)
        .all(|(field, data_type)| !is_other_unit(field.data_type()) || field.data_type() == data_type);
    if is_same {
        return Ok(Arc::clone(schema));
    }
    let fields = schema.iter().zip(types).map(|((qualifier, field), data_type)| {
        let field = if is_other_unit(field.data_type()) {
            Arc::new(field.as_ref().clone().with_data_type(data_type))
        } else {
            Arc::clone(field)
        };
        (qualifier.cloned(), field)
    });
    let new = DFSchema::new_with_metadata(fields.collect(), schema.metadata().clone())?;
    Ok(Arc::new(new.with_functional_dependencies(schema.functional_dependencies().clone())?))
}

/// Replaces one expression; those within it come before.
fn rewrite(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match expr {
        Expr::Cast(cast) => replace_cast(cast, schema),
        Expr::Literal(value, metadata) if is_other_unit(&value.data_type()) => Ok(match in_microseconds(&value) {
            Some(value) => Transformed::yes(Expr::Literal(value, metadata)),
            None => Transformed::no(Expr::Literal(value, metadata)),
        }),
        Expr::OuterReferenceColumn(field, column) if is_other_unit(field.data_type()) => {
            let sql_type = normal(field.data_type());
            let field = match sql_type {
                Some(sql_type) => Arc::new(field.as_ref().clone().with_data_type(sql_type.arrow())),
                None => field,
            };
            Ok(Transformed::yes(Expr::OuterReferenceColumn(field, column)))
        }
        Expr::BinaryExpr(comparison) if compares(comparison.op) => Ok(comparisons::binary(comparison, schema)),
        Expr::Between(between) => Ok(comparisons::between(between, schema)),
        Expr::InList(list) => Ok(comparisons::list(list, schema)),
        other => Ok(Transformed::no(other)),
    }
}

fn in_microseconds(value: &ScalarValue) -> Option<ScalarValue> {
    match value {
        ScalarValue::TimestampNanosecond(nanos, zone) => Some(ScalarValue::TimestampMicrosecond(
            nanos.map(|nanos| nanos.div_euclid(1_000)),
            zone.as_ref().map(|_| Arc::from("UTC")),
        )),
        ScalarValue::Time64Nanosecond(nanos) => {
            Some(ScalarValue::Time64Microsecond(nanos.map(|nanos| nanos.div_euclid(1_000))))
        }
        _ => None,
    }
}

fn replace_cast(cast: Cast, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let to = cast.field.data_type().clone();
    let Ok(from) = cast.expr.get_type(schema) else { return Ok(Transformed::no(Expr::Cast(cast))) };
    if is_text(&to) && is_datetime(&from) {
        let text = call(*cast.expr, &SqlType::Text);
        let is_view = to == DataType::Utf8View;
        return Ok(Transformed::yes(if is_view {
            text
        } else {
            Expr::Cast(Cast { expr: Box::new(text), field: cast.field })
        }));
    }
    if is_datetime(&to) && (from.is_numeric() || from == DataType::Boolean) {
        let name = |data_type: &DataType| type_name(&Field::new("", data_type.clone(), true));
        let message = format!("{} and {} have no common type", name(&to), name(&from));
        return Err(into_datafusion(
            Error::new(ErrorKind::UndefinedFunction, message).with_hint("cast one of the two"),
        ));
    }
    let Some(target) = normal(&to).filter(|_| is_datetime(&from) || is_text(&from)) else {
        return Ok(Transformed::no(Expr::Cast(cast)));
    };
    if from == target.arrow() {
        return Ok(Transformed::yes(*cast.expr));
    }
    if is_duration(&from) {
        return Ok(Transformed::no(Expr::Cast(cast)));
    }
    Ok(Transformed::yes(call(*cast.expr, &target)))
}

fn is_duration(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Duration(_))
}

fn call(value: Expr, target: &SqlType) -> Expr {
    cast_to().call(vec![value, lit(target.to_string())])
}
