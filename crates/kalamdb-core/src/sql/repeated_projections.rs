//! Projections that say the same as the one below them, as `SELECT s * 2 AS s FROM (SELECT s * 2 AS s FROM t)`: DataFusion takes them
//! for one. Here they are made to differ, by an alias that means nothing.

use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::expr::Alias;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// Makes them differ. It comes before the rule that compares them.
#[derive(Debug)]
pub(super) struct RepeatedProjections;

impl OptimizerRule for RepeatedProjections {
    fn name(&self) -> &'static str {
        "repeated_projections"
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        plan.transform_up_with_subqueries(|node| {
            let LogicalPlan::Projection(Projection { expr, input, schema, .. }) = &node else { return Ok(Transformed::no(node)) };
            let LogicalPlan::Projection(below) = input.as_ref() else { return Ok(Transformed::no(node)) };
            if below.expr != *expr {
                return Ok(Transformed::no(node));
            }
            let mut exprs = expr.clone();
            let Some(Expr::Alias(alias)) = exprs.iter_mut().find(|expr| computes(expr)) else { return Ok(Transformed::no(node)) };
            alias.expr = Box::new(Expr::Alias(Alias { metadata: None, ..alias.clone() }));
            let different = Projection::try_new_with_schema(exprs, input.clone(), schema.clone())?;
            Ok(Transformed::yes(LogicalPlan::Projection(different)))
        })
    }
}

/// Whether an expression gives a column another value than the one of its name.
fn computes(expr: &Expr) -> bool {
    matches!(expr, Expr::Alias(alias) if !matches!(alias.expr.as_ref(), Expr::Column(column) if column.name == alias.name))
}
