//! Aggregates of distinct values that have several arguments are left as they are.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// The rule that makes a group of what is DISTINCT, for aggregates of one argument: it fails where there are more of
/// them.
#[derive(Debug)]
pub(super) struct OneArgument(pub(crate) Arc<dyn OptimizerRule + Send + Sync>);

impl OptimizerRule for OneArgument {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match &plan {
            LogicalPlan::Aggregate(aggregate) if aggregate.aggr_expr.iter().any(has_several) => {
                Ok(Transformed::no(plan))
            }
            _ => self.0.rewrite(plan, config),
        }
    }
}

fn has_several(expr: &Expr) -> bool {
    matches!(expr, Expr::AggregateFunction(aggregate) if aggregate.params.distinct && aggregate.params.args.len() > 1)
}
