//! What an aggregate is ordered by twice, once is enough: DataFusion's order has each expression once, and fails where
//! it is given more values. It comes last, as expressions may become the same when they are simplified, or when
//! operators are made of them, as `b IN (1)` and `b = 1`.

use std::sync::Arc;

use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};

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
        let has_several = |expr: &Expr| {
            expr.exists(|expr| Ok(matches!(expr, Expr::AggregateFunction(call) if call.params.order_by.len() > 1)))
        };
        if !matches!(node, LogicalPlan::Aggregate(_)) || !any_expression(&node, has_several)? {
            return Ok(Transformed::no(node));
        }
        let schema = merge_schema(&node.inputs());
        rewrite(node, |expr| {
            let Expr::AggregateFunction(mut call) = expr else { return Ok(Transformed::no(expr)) };
            let n_orders = call.params.order_by.len();
            call.params.order_by = each_once(std::mem::take(&mut call.params.order_by), &schema);
            let is_shorter = call.params.order_by.len() < n_orders;
            Ok(Transformed::new_transformed(Expr::AggregateFunction(call), is_shorter))
        })
    }
}

/// The order without what is computed as something before it is.
fn each_once(order: Vec<Sort>, schema: &DFSchema) -> Vec<Sort> {
    let (props, context) = (ExecutionProps::new(), PhysicalPlanningContext::default());
    let mut seen: Vec<Arc<dyn PhysicalExpr>> = Vec::new();
    let mut is_new = |by: &Sort| {
        // What cannot be computed here fails where it is planned.
        let Ok(computed) = create_physical_expr(&by.expr, schema, &props, &context) else { return true };
        let is_new = !seen.contains(&computed);
        seen.push(computed);
        is_new
    };
    order.into_iter().filter(|by| is_new(by)).collect()
}
