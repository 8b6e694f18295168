//! The rule that compares by keys.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, JoinConstraint, ScalarValue};
use datafusion::error::Result;
use datafusion::functions_aggregate::first_last::first_value;
use datafusion::logical_expr::expr::{
    AggregateFunction, Between, BinaryExpr, Case, Cast, InList, InSubquery, ScalarFunction,
};
use datafusion::logical_expr::logical_plan::{Aggregate, Distinct, DistinctOn, Projection, Subquery};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Operator, SortExpr, lit, when};
use datafusion::optimizer::AnalyzerRule;

use super::greatest::{best, is_kept_from_planner};
use super::key::{has_key, key};
use super::place::{has_place, place};
use super::stored::ends_plainly;
use crate::sql::analyzer::{any_expression, any_node, compares, rewrite};

/// Compares by [`key`] what is compared, sorted, grouped or joined and has one. It comes after the operands have got
/// their types.
#[derive(Debug)]
pub(crate) struct CompareByKey;

impl AnalyzerRule for CompareByKey {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        if !plan_has_keys(&plan)? {
            return Ok(plan);
        }
        Ok(plan.transform_up_with_subqueries(node)?.data)
    }

    fn name(&self) -> &'static str {
        "compare_by_key"
    }
}

/// Whether anything in the plan has a key: what ordinary statements are asked, and no more.
fn plan_has_keys(plan: &LogicalPlan) -> Result<bool> {
    any_node(plan, |node| {
        if node.schema().fields().iter().any(|field| has_place(field.data_type())) {
            return Ok(true);
        }
        let schema = merge_schema(&node.inputs());
        any_expression(node, |expr| expr.exists(|expr| Ok(is_comparison(expr) && compares_keys(expr, &schema))))
    })
}

fn is_key(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|data_type| has_key(&data_type))
}

fn is_placed(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|data_type| has_place(&data_type))
}

fn placed(expr: Expr, schema: &DFSchema) -> Expr {
    match expr.get_type(schema) {
        Ok(data_type) if has_place(&data_type) => place(expr, &data_type),
        _ => expr,
    }
}

fn is_comparison(expr: &Expr) -> bool {
    match expr {
        Expr::BinaryExpr(BinaryExpr { op, .. }) => compares(*op),
        Expr::ScalarFunction(function) => matches!(function.func.name(), "nullif" | "array_has" | "greatest" | "least"),
        Expr::Between(_) | Expr::InList(_) | Expr::InSubquery(_) | Expr::Case(_) | Expr::AggregateFunction(_) => true,
        _ => false,
    }
}

/// Whether the first operand has a key: that of the others has the same type by now.
fn compares_keys(expr: &Expr, schema: &DFSchema) -> bool {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, .. }) => is_key(left, schema),
        Expr::Between(Between { expr, .. })
        | Expr::InList(InList { expr, .. })
        | Expr::InSubquery(InSubquery { expr, .. }) => is_key(expr, schema),
        Expr::Case(Case { expr: Some(operand), .. }) => is_key(operand, schema),
        Expr::ScalarFunction(function) if is_extreme(function) => function
            .args
            .first()
            .is_some_and(|arg| arg.get_type(schema).is_ok_and(|data_type| is_kept_from_planner(&data_type))),
        Expr::ScalarFunction(function) => function.args.first().is_some_and(|arg| is_key(arg, schema)),
        Expr::AggregateFunction(AggregateFunction { params, .. }) => {
            params.args.iter().any(|arg| is_key(arg, schema))
                || params.order_by.iter().any(|by| is_placed(&by.expr, schema))
        }
        _ => false,
    }
}

fn is_extreme(function: &ScalarFunction) -> bool {
    matches!(function.func.name(), "greatest" | "least")
}

fn node(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let node = expressions(node)?;
    let is_distinct = |input: &LogicalPlan| input.schema().fields().iter().any(|field| has_key(field.data_type()));
    node.transform_data(|node| {
        Ok(match node {
            LogicalPlan::Sort(mut sort) => {
                let schema = Arc::clone(sort.input.schema());
                let plain = if ends_plainly(&sort.expr, &sort.input) { sort.expr.pop() } else { None };
                sort.expr = sorted(sort.expr, &schema);
                sort.expr.extend(plain);
                Transformed::yes(LogicalPlan::Sort(sort))
            }
            LogicalPlan::Join(mut join) => {
                let (left, right) = (Arc::clone(join.left.schema()), Arc::clone(join.right.schema()));
                let has_keys = join.on.iter().any(|(a, b)| is_key(a, &left) || is_key(b, &right));
                if has_keys {
                    // The keys of USING are columns, and these are none.
                    join.join_constraint = JoinConstraint::On;
                }
                let pair = |(a, b): (Expr, Expr)| {
                    if is_key(&a, &left) || is_key(&b, &right) { (key(a), key(b)) } else { (a, b) }
                };
                join.on = join.on.into_iter().map(pair).collect();
                Transformed::yes(LogicalPlan::Join(join))
            }
            LogicalPlan::Aggregate(aggregate) => aggregated(aggregate)?,
            LogicalPlan::Distinct(Distinct::All(input)) if is_distinct(&input) => {
                let columns = input.schema().columns().into_iter().map(Expr::Column).collect();
                aggregated(Aggregate::try_new(input, columns, Vec::new())?)?
            }
            LogicalPlan::Distinct(Distinct::On(on)) => {
                let schema = Arc::clone(on.input.schema());
                let on_expr = on.on_expr.into_iter().map(|expr| placed(expr, &schema)).collect();
                let sort_expr = on.sort_expr.map(|sort| sorted(sort, &schema));
                Transformed::yes(LogicalPlan::Distinct(Distinct::On(DistinctOn::try_new(
                    on_expr,
                    on.select_expr,
                    sort_expr,
                    on.input,
                )?)))
            }
            other => Transformed::no(other),
        })
    })
}

fn sorted(by: Vec<SortExpr>, schema: &DFSchema) -> Vec<SortExpr> {
    by.into_iter().map(|by| SortExpr { expr: placed(by.expr, schema), ..by }).collect()
}

/// Groups by keys; the value of a group is that of its first row.
fn aggregated(aggregate: Aggregate) -> Result<Transformed<LogicalPlan>> {
    let input = Arc::clone(aggregate.input.schema());
    let Aggregate { input: rows, group_expr, aggr_expr, schema, .. } = aggregate;
    if let [Expr::GroupingSet(_)] = group_expr.as_slice() {
        return Ok(Transformed::yes(sets_by_key(rows, group_expr, aggr_expr, &schema)?));
    }
    if !group_expr.iter().any(|expr| is_key(expr, &input)) {
        return Ok(Transformed::no(LogicalPlan::Aggregate(Aggregate::try_new_with_schema(
            rows, group_expr, aggr_expr, schema,
        )?)));
    }
    let mut values = Vec::new();
    let mut output = Vec::new();
    let mut keys = Vec::new();
    let mut fields = schema.iter();
    for (at, (expr, (qualifier, field))) in group_expr.into_iter().zip(&mut fields).enumerate() {
        if is_key(&expr, &input) {
            let name = format!("\0value{at}");
            values.push(first_value(expr.clone().unalias(), Vec::new()).alias(&name));
            keys.push(key(expr.unalias()).alias(format!("\0key{at}")));
            output.push(Expr::Column(Column::new_unqualified(name)).alias_qualified(qualifier.cloned(), field.name()));
        } else {
            keys.push(expr);
            output.push(Expr::Column(Column::new(qualifier.cloned(), field.name())));
        }
    }
    output.extend(fields.map(|(qualifier, field)| Expr::Column(Column::new(qualifier.cloned(), field.name()))));
    let aggregates = aggr_expr.into_iter().chain(values).collect();
    let grouped = LogicalPlan::Aggregate(Aggregate::try_new(rows, keys, aggregates)?);
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(output, Arc::new(grouped))?)))
}

/// Grouping sets of keys. A key is NULL in the sets without it, and so is the value then.
fn sets_by_key(
    rows: Arc<LogicalPlan>,
    group_expr: Vec<Expr>,
    aggr_expr: Vec<Expr>,
    schema: &DFSchema,
) -> Result<LogicalPlan> {
    let input = Arc::clone(rows.schema());
    let distinct: Vec<Expr> = match group_expr.as_slice() {
        [Expr::GroupingSet(sets)] => sets.distinct_expr().into_iter().cloned().collect(),
        _ => Vec::new(),
    };
    let keyed: Vec<&Expr> = distinct.iter().filter(|expr| is_key(expr, &input)).collect();
    if keyed.is_empty() {
        return Ok(LogicalPlan::Aggregate(Aggregate::try_new(rows, group_expr, aggr_expr)?));
    }
    let at = |expr: &Expr| keyed.iter().position(|key| *key == expr);
    let key_at = |at: usize| Expr::Column(Column::new_unqualified(format!("\0key{at}")));
    let value_at = |at: usize| Expr::Column(Column::new_unqualified(format!("\0value{at}")));
    let columns = input.columns().into_iter().map(Expr::Column);
    let keys = keyed.iter().enumerate().map(|(at, expr)| key((*expr).clone()).alias(format!("\0key{at}")));
    let below = LogicalPlan::Projection(Projection::try_new(columns.chain(keys).collect(), rows)?);
    let values = keyed
        .iter()
        .enumerate()
        .map(|(at, expr)| first_value((*expr).clone(), Vec::new()).alias(format!("\0value{at}")));
    let aggregates = aggr_expr.into_iter().chain(values).collect();
    let by_key = |expr: Expr| {
        Ok(match at(&expr) {
            Some(at) => Transformed::yes(key_at(at)),
            None => Transformed::no(expr),
        })
    };
    let groups = group_expr.into_iter().map(|sets| Ok(sets.map_children(by_key)?.data)).collect::<Result<Vec<_>>>()?;
    let grouped = LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(below), groups, aggregates)?);
    let output =
        schema.iter().zip(grouped.schema().columns()).enumerate().map(|(place, ((qualifier, field), column))| {
            let value = match distinct.get(place).and_then(at) {
                Some(at) => when(key_at(at).is_not_null(), value_at(at)).end()?,
                None => Expr::Column(column),
            };
            Ok(value.alias_qualified(qualifier.cloned(), field.name()))
        });
    let output = output.collect::<Result<Vec<_>>>()?;
    Ok(LogicalPlan::Projection(Projection::try_new(output, Arc::new(grouped))?))
}

fn is_float(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|data_type| data_type.is_floating())
}

fn expressions(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let schema = merge_schema(&node.inputs());
    if !any_expression(&node, |expr| expr.exists(|expr| Ok(is_comparison(expr) && compares_keys(expr, &schema))))? {
        return Ok(Transformed::no(node));
    }
    let stored = node.inputs().into_iter().all(is_stored);
    rewrite(node, |expr| compared(expr, &schema, stored))
}

/// Whether the rows are those of tables: the engine stores one NaN only, but both zeros. Arithmetic makes NaNs of
/// either sign.
fn is_stored(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::TableScan(_) => true,
        LogicalPlan::SubqueryAlias(_) | LogicalPlan::Filter(_) | LogicalPlan::Join(_) => {
            plan.inputs().into_iter().all(is_stored)
        }
        _ => false,
    }
}

fn compared(expr: Expr, schema: &DFSchema, stored: bool) -> Result<Transformed<Expr>> {
    if !is_comparison(&expr) || !compares_keys(&expr, schema) {
        return Ok(Transformed::no(expr));
    }
    Ok(Transformed::yes(match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => binary(*left, op, *right, schema, stored),
        Expr::Between(Between { expr, negated, low, high }) => {
            let low = binary(expr.as_ref().clone(), Operator::GtEq, *low, schema, stored);
            let high = binary(*expr, Operator::LtEq, *high, schema, stored);
            if negated { Expr::Not(Box::new(low.and(high))) } else { low.and(high) }
        }
        Expr::InList(InList { expr, list, negated }) => in_list(*expr, list, negated, schema, stored),
        Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
            let Subquery { subquery, outer_ref_columns, spans } = subquery;
            let column = subquery.schema().columns().into_iter().next();
            let by_key = LogicalPlanBuilder::from(Arc::unwrap_or_clone(subquery))
                .project(column.map(|column| key(Expr::Column(column))))?
                .build()?;
            let subquery = Subquery { subquery: Arc::new(by_key), outer_ref_columns, spans };
            Expr::InSubquery(InSubquery { expr: Box::new(key(*expr)), subquery, negated })
        }
        Expr::Case(Case { expr: Some(operand), when_then_expr, else_expr }) => {
            let when_then_expr = when_then_expr.into_iter().map(|(when, then)| (Box::new(key(*when)), then)).collect();
            Expr::Case(Case { expr: Some(Box::new(key(*operand))), when_then_expr, else_expr })
        }
        Expr::ScalarFunction(function) if is_extreme(&function) => best(function.func.name(), function.args),
        Expr::ScalarFunction(mut function) => {
            if function.func.name() == "nullif"
                && let Ok([value, other]) = <[Expr; 2]>::try_from(std::mem::take(&mut function.args)).as_ref()
            {
                let equal = key(value.clone()).eq(key(other.clone()));
                let null = ScalarValue::try_new_null(&value.get_type(schema)?)?;
                return Ok(Transformed::yes(Expr::Case(Case {
                    expr: None,
                    when_then_expr: vec![(Box::new(equal), Box::new(lit(null)))],
                    else_expr: Some(Box::new(value.clone())),
                })));
            }
            function.args = function.args.into_iter().map(key).collect();
            Expr::ScalarFunction(function)
        }
        Expr::AggregateFunction(mut aggregate) => {
            aggregate.params.order_by = sorted(aggregate.params.order_by, schema);
            let counts = aggregate.func.name() == "count";
            let takes_keys = aggregate.params.distinct || matches!(aggregate.func.name(), "max" | "min");
            let arg = |arg: Expr| {
                let is_plain = stored && !aggregate.params.distinct && matches!(arg, Expr::Column(_));
                if takes_keys && !is_plain && (is_float(&arg, schema) || counts && is_key(&arg, schema)) {
                    key(arg)
                } else {
                    arg
                }
            };
            aggregate.params.args = std::mem::take(&mut aggregate.params.args).into_iter().map(arg).collect();
            Expr::AggregateFunction(aggregate)
        }
        other => other,
    }))
}

/// `left op right`. A comparison of a column of floats with a constant stays one, as tables find rows by it.
fn binary(left: Expr, op: Operator, right: Expr, schema: &DFSchema, stored: bool) -> Expr {
    let with =
        |left: Expr, op: Operator, right: Expr| Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)));
    if is_float(&left, schema)
        && let (Some(op), Some(constant)) = (op.swap(), float(&left))
        && float(&right).is_none()
        && stored
        && is_column(&right)
    {
        return with_constant(right, op, constant, &left, schema);
    }
    if is_float(&left, schema)
        && let Some(constant) = float(&right)
        && stored
        && is_column(&left)
    {
        return with_constant(left, op, constant, &right, schema);
    }
    with(key(left), op, key(right))
}

/// Whether the expression is a column, maybe of another width.
fn is_column(expr: &Expr) -> bool {
    match expr {
        Expr::Column(_) => true,
        Expr::Cast(Cast { expr, .. }) => matches!(**expr, Expr::Column(_)),
        _ => false,
    }
}

fn with_constant(column: Expr, op: Operator, constant: f64, written: &Expr, schema: &DFSchema) -> Expr {
    let with =
        |op: Operator, value: Expr| Expr::BinaryExpr(BinaryExpr::new(Box::new(column.clone()), op, Box::new(value)));
    let data_type = column.get_type(schema).ok();
    let float = |value: f64| {
        data_type.as_ref().and_then(|data_type| ScalarValue::Float64(Some(value)).cast_to(data_type).ok()).map(lit)
    };
    if constant != 0.0 {
        return match constant.is_nan().then(|| float(f64::NAN)).flatten() {
            Some(nan) => with(op, nan),
            None => with(op, written.clone()),
        };
    }
    let (Some(zero), Some(below)) = (float(0.0), float(-0.0)) else {
        return with(op, written.clone());
    };
    match op {
        Operator::Eq => with(Operator::GtEq, below).and(with(Operator::LtEq, zero)),
        Operator::NotEq => with(Operator::Lt, below).or(with(Operator::Gt, zero)),
        Operator::Lt | Operator::GtEq => with(op, below),
        Operator::Gt | Operator::LtEq => with(op, zero),
        _ => Expr::BinaryExpr(BinaryExpr::new(Box::new(key(column)), op, Box::new(zero))),
    }
}

/// The value of a constant that is written as a number, or as a text that becomes one.
fn float(expr: &Expr) -> Option<f64> {
    let value = match expr {
        Expr::Literal(value, _) => value.clone(),
        Expr::Negative(inner) => return float(inner).map(|value| -value),
        Expr::Cast(Cast { expr, field }) if field.data_type().is_floating() => return float(expr),
        _ => return None,
    };
    match value.cast_to(&datafusion::arrow::datatypes::DataType::Float64) {
        Ok(ScalarValue::Float64(value)) => value,
        _ => None,
    }
}

fn in_list(expr: Expr, list: Vec<Expr>, negated: bool, schema: &DFSchema, stored: bool) -> Expr {
    let constants: Option<Vec<f64>> =
        if stored && is_float(&expr, schema) && is_column(&expr) { list.iter().map(float).collect() } else { None };
    let plain = |value: &f64| *value != 0.0 && !value.is_nan();
    match constants {
        Some(constants) if constants.iter().all(plain) => Expr::InList(InList { expr: Box::new(expr), list, negated }),
        _ => Expr::InList(InList { expr: Box::new(key(expr)), list: list.into_iter().map(key).collect(), negated }),
    }
}
