//! What is to be known of a call of an aggregate or window function before it is planned.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{DFSchema, ScalarValue, plan_datafusion_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{AggregateFunction, Cast, Sort};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawAggregateExpr, RawWindowExpr};
use datafusion::logical_expr::{Aggregate, AggregateUDF, Expr, ExprSchemable, LogicalPlan, WindowFrameBound};
use datafusion::optimizer::AnalyzerRule;

use crate::error::{Error, ErrorKind, into_datafusion};
use crate::sql::analyzer::ordering::has_key;

/// The aggregates whose result depends on the order of their input.
const ORDERED: [&str; 10] = [
    "array_agg",
    "string_agg",
    "first_value",
    "last_value",
    "nth_value",
    "any_value",
    "json_agg",
    "jsonb_agg",
    "json_object_agg",
    "jsonb_object_agg",
];

/// Functions over a window that take a value.
const OF_A_VALUE: [&str; 5] = ["first_value", "last_value", "nth_value", "lag", "lead"];

/// No frame has more rows: farther ones are as far away.
const MAX_ROWS: u64 = i32::MAX as u64;

/// How the names of aggregates of pairs begin.
const OF_PAIRS: [&str; 3] = ["corr", "covar", "regr_"];

/// Refuses calls that the functions do not expect.
#[derive(Debug)]
pub(crate) struct AggregateCalls;

impl ExprPlanner for AggregateCalls {
    fn plan_aggregate(&self, call: RawAggregateExpr) -> Result<PlannerResult<RawAggregateExpr>> {
        if call.distinct
            && !depends_on_order(&call.func)
            && call.order_by.iter().any(|sort| !call.args.contains(&sort.expr))
        {
            return Err(plan_datafusion_err!("in an aggregate with DISTINCT, ORDER BY must name its arguments"));
        }
        if call.distinct && call.args.len() > 1 && OF_PAIRS.iter().any(|prefix| call.func.name().starts_with(prefix)) {
            return Err(into_datafusion(Error::unsupported(format!("DISTINCT in {}", call.func.name()))));
        }
        if call.func.name() == "regr_count" {
            // DataFusion counts without a sign.
            let RawAggregateExpr { func, args, distinct, filter, order_by, null_treatment } = call;
            let count = AggregateFunction::new_udf(func, args, distinct, filter, order_by, null_treatment);
            let count = Expr::Cast(Cast::new(Box::new(Expr::AggregateFunction(count)), DataType::Int64));
            return Ok(PlannerResult::Planned(count));
        }
        Ok(PlannerResult::Original(call))
    }

    fn plan_window(&self, mut call: RawWindowExpr) -> Result<PlannerResult<RawWindowExpr>> {
        let name = call.func_def.name();
        if call.args.is_empty() && OF_A_VALUE.contains(&name) {
            let message = format!("function {name}() does not exist");
            return Err(into_datafusion(
                Error::new(ErrorKind::UndefinedFunction, message).with_hint("give it a value"),
            ));
        }
        bound(&mut call.window_frame.start_bound);
        bound(&mut call.window_frame.end_bound);
        Ok(PlannerResult::Original(call))
    }
}

/// Leaves out orders that mean nothing: the function would get the values to order by as arguments, which it does not
/// expect. Distinct values that are collected come in their own order, as in PostgreSQL.
#[derive(Debug)]
pub(crate) struct UnorderedAggregates;

impl AnalyzerRule for UnorderedAggregates {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let without_order = |node: LogicalPlan| {
            let LogicalPlan::Aggregate(aggregate) = &node else { return Ok(Transformed::no(node)) };
            let schema = aggregate.input.schema();
            let is_ordered = |expr: &Expr| {
                Ok(
                    matches!(expr, Expr::AggregateFunction(call) if has_idle_order(call) || own_order(call, schema).is_some()),
                )
            };
            if !aggregate.aggr_expr.iter().any(|expr| expr.exists(is_ordered).unwrap_or_default()) {
                return Ok(Transformed::no(node));
            }
            let exprs = aggregate.aggr_expr.iter().zip(aggregate.schema.iter().skip(aggregate.group_expr_len()?)).map(
                |(expr, (_, field))| {
                    let expr = expr.clone().transform(|expr| {
                        let Expr::AggregateFunction(mut call) = expr else { return Ok(Transformed::no(expr)) };
                        if has_idle_order(&call) {
                            call.params.order_by.clear();
                        }
                        call.params.order_by.extend(own_order(&call, schema));
                        Ok(Transformed::yes(Expr::AggregateFunction(call)))
                    })?;
                    let expr = expr.data;
                    Ok(if expr.schema_name().to_string() == *field.name() { expr } else { expr.alias(field.name()) })
                },
            );
            let exprs = exprs.collect::<Result<Vec<_>>>()?;
            let groups = aggregate.group_expr.clone();
            Ok(Transformed::yes(LogicalPlan::Aggregate(Aggregate::try_new(
                Arc::clone(&aggregate.input),
                groups,
                exprs,
            )?)))
        };
        plan.transform_up_with_subqueries(without_order).data()
    }

    fn name(&self) -> &'static str {
        "unordered_aggregates"
    }
}

fn has_idle_order(call: &AggregateFunction) -> bool {
    !call.params.order_by.is_empty() && !depends_on_order(&call.func)
}

/// The order of the distinct values that a call collects.
fn own_order(call: &AggregateFunction, schema: &DFSchema) -> Option<Sort> {
    let of = call.params.args.first()?;
    let is_sorted = call.params.distinct
        && call.params.order_by.is_empty()
        && matches!(call.func.name(), "array_agg" | "string_agg");
    // What has a key that is of another type is not sorted by itself.
    let data_type = of.get_type(schema).ok().filter(|_| is_sorted)?;
    (data_type.is_floating() || !has_key(&data_type)).then(|| of.clone().sort(true, false))
}

fn depends_on_order(function: &AggregateUDF) -> bool {
    ORDERED.contains(&function.name()) || function.supports_within_group_clause()
}

fn bound(bound: &mut WindowFrameBound) {
    let (WindowFrameBound::Preceding(ScalarValue::UInt64(Some(n)))
    | WindowFrameBound::Following(ScalarValue::UInt64(Some(n)))) = bound
    else {
        return;
    };
    *n = (*n).min(MAX_ROWS);
}
