//! What gives no row at all is not executed.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

/// Replaces what is limited to no rows: a sort panics when it is to keep none.
#[derive(Debug)]
pub(crate) struct NoRows;

impl PhysicalOptimizerRule for NoRows {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = plan.transform_down(|plan| {
            if plan.fetch() != Some(0) {
                return Ok(Transformed::no(plan));
            }
            let partitions = plan.output_partitioning().partition_count();
            Ok(Transformed::yes(Arc::new(EmptyExec::new(plan.schema()).with_partitions(partitions)) as _))
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &'static str {
        "no_rows"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
