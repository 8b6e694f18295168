//! Takes limits off groups that cannot stop at them: DataFusion gives one to DISTINCT over rows in an order, and fails
//! when it runs. Large ones as well: room for that many groups would be made before the first comes.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;

/// The most groups that room is made for.
const MOST_GROUPS: usize = 4096;

#[derive(Debug)]
pub(crate) struct GroupLimits;

impl PhysicalOptimizerRule for GroupLimits {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let Some(aggregate) = node.downcast_ref::<AggregateExec>() else { return Ok(Transformed::no(node)) };
            let cannot_stop = aggregate.limit_options().is_some_and(|limit| limit.descending().is_none())
                && aggregate.get_minmax_desc().is_none()
                && !aggregate.is_unordered_unfiltered_group_by_distinct();
            let is_large = aggregate.limit_options().is_some_and(|limit| limit.limit() > MOST_GROUPS);
            if !cannot_stop && !is_large {
                return Ok(Transformed::no(node));
            }
            Ok(Transformed::yes(Arc::new(aggregate.with_new_limit_options(None)) as Arc<dyn ExecutionPlan>))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "group_limits"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
