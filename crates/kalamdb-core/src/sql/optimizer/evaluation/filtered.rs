//! The arguments of an aggregate with FILTER are evaluated for the rows that it lets pass.

use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{
    AggregateFunction, AggregateFunctionParams, Case, ScalarFunction, WindowFunction, WindowFunctionParams,
};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

use super::fails::may_fail;
use crate::sql::analyzer::{any_expression, rewrite};

/// Makes the arguments that may fail NULL for the rows that FILTER leaves out.
#[derive(Debug)]
pub(crate) struct FilteredArguments;

impl AnalyzerRule for FilteredArguments {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        Ok(plan.transform_up_with_subqueries(node)?.data)
    }

    fn name(&self) -> &'static str {
        "filtered_arguments"
    }
}

fn node(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    if !matches!(plan, LogicalPlan::Aggregate(_) | LogicalPlan::Window(_)) {
        return Ok(Transformed::no(plan));
    }
    if !any_expression(&plan, |expr| expr.exists(|expr| Ok(filter_of(expr).is_some())))? {
        return Ok(Transformed::no(plan));
    }
    let schema = merge_schema(&plan.inputs());
    rewrite(plan, |expr| arguments(expr, &schema))
}

fn filter_of(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::AggregateFunction(function) => function.params.filter.as_deref(),
        Expr::WindowFunction(function) => function.params.filter.as_deref(),
        _ => None,
    }
}

fn arguments(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Some(filter) = filter_of(&expr).filter(|filter| !filter.is_volatile()).cloned() else {
        return Ok(Transformed::no(expr));
    };
    let guarded = |args: Vec<Expr>| guarded(args, &filter, schema);
    Ok(Transformed::yes(match expr {
        Expr::AggregateFunction(AggregateFunction { func, params }) => {
            let AggregateFunctionParams { args, order_by, .. } = params;
            let args = guarded(args)?;
            let order_by = order_by
                .into_iter()
                .map(|by| {
                    let mut expr = guarded(vec![by.expr.clone()])?;
                    Ok(by.with_expr(expr.swap_remove(0)))
                })
                .collect::<Result<_>>()?;
            Expr::AggregateFunction(AggregateFunction {
                func,
                params: AggregateFunctionParams {
                    args,
                    order_by,
                    distinct: params.distinct,
                    filter: params.filter,
                    null_treatment: params.null_treatment,
                },
            })
        }
        Expr::WindowFunction(function) => {
            let WindowFunction { fun, params } = *function;
            let args = guarded(params.args)?;
            let params = WindowFunctionParams { args, ..params };
            Expr::from(WindowFunction { fun, params })
        }
        other => other,
    }))
}

/// The arguments as NULL for the rows that the filter leaves out, if they may fail.
fn guarded(args: Vec<Expr>, filter: &Expr, schema: &DFSchema) -> Result<Vec<Expr>> {
    args.into_iter()
        .map(|arg| {
            if !may_fail(&arg, schema)? {
                return Ok(arg);
            }
            // CASE would forget what kind of text it is, as JSON: what the function gets is guarded instead.
            if !arg.to_field(schema)?.1.metadata().is_empty() {
                return Ok(match arg {
                    Expr::ScalarFunction(ScalarFunction { func, args }) => {
                        Expr::ScalarFunction(ScalarFunction { func, args: guarded(args, filter, schema)? })
                    }
                    other => other,
                });
            }
            let branches = vec![(Box::new(filter.clone()), Box::new(arg))];
            Ok(Expr::Case(Case { expr: None, when_then_expr: branches, else_expr: None }))
        })
        .collect()
}
