//! What an aggregate is ordered by twice, once is enough: DataFusion's order has each expression once, and fails where it is given more values.
//! It comes last, as expressions may become the same when they are simplified.

use std::collections::HashSet;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::expressions::{any_expression, rewrite};

#[derive(Debug)]
pub(crate) struct RepeatedOrders;

impl OptimizerRule for RepeatedOrders {
    fn name(&self) -> &'static str {
        "repeated_orders"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, node: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let is_repeated = |expr: &Expr| expr.exists(|expr| Ok(matches!(expr, Expr::AggregateFunction(call) if repeats(&call.params.order_by))));
        if !matches!(node, LogicalPlan::Aggregate(_)) || !any_expression(&node, is_repeated)? {
            return Ok(Transformed::no(node));
        }
        rewrite(node, |expr| {
            let Expr::AggregateFunction(mut call) = expr else { return Ok(Transformed::no(expr)) };
            let mut seen = HashSet::new();
            call.params.order_by.retain(|by| seen.insert(by.expr.clone()));
            Ok(Transformed::yes(Expr::AggregateFunction(call)))
        })
    }
}

fn repeats(order: &[Sort]) -> bool {
    order.len() > 1 && order.iter().map(|by| &by.expr).collect::<HashSet<_>>().len() < order.len()
}
