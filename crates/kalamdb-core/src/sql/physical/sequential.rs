//! Operators that spawn tasks, replaced: on wasm32 there is nothing to spawn them on.

use std::fmt;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::internal_datafusion_err;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::limit::LimitStream;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning,
    PlanProperties, ReplaceChildrenOptions,
};
use futures::{StreamExt, TryStreamExt, stream};

/// Replaces the operators that spawn tasks: on wasm32 there is nothing to spawn them on.
///
/// It must be the last rule, as it takes the place of what others insert.
#[derive(Debug)]
pub(crate) struct Sequential;

impl PhysicalOptimizerRule for Sequential {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = plan
            .transform_up(|node| {
                // All rows of a partition by hash are in the one that there is.
                let sequence =
                    match (node.downcast_ref::<CoalescePartitionsExec>(), node.downcast_ref::<RepartitionExec>()) {
                        (Some(coalesce), _) => SequenceExec::new(Arc::clone(coalesce.input()), coalesce.fetch()),
                        (None, Some(repartition)) if repartition.preserve_order() => {
                            match repartition.properties().output_ordering() {
                                Some(order) => {
                                    let merge =
                                        SortPreservingMergeExec::new(order.clone(), Arc::clone(repartition.input()));
                                    return Ok(Transformed::yes(Arc::new(merge) as Arc<dyn ExecutionPlan>));
                                }
                                None => SequenceExec::new(Arc::clone(repartition.input()), None),
                            }
                        }
                        (None, Some(repartition)) => SequenceExec::new(Arc::clone(repartition.input()), None),
                        (None, None) => return Ok(Transformed::no(node)),
                    };
                Ok(Transformed::yes(Arc::new(sequence) as Arc<dyn ExecutionPlan>))
            })
            .data()?;
        if plan.output_partitioning().partition_count() > 1 {
            return Ok(Arc::new(SequenceExec::new(plan, None)));
        }
        Ok(plan)
    }

    fn name(&self) -> &'static str {
        "sequential"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Yields the rows of one input partition after the other.
#[derive(Debug)]
struct SequenceExec {
    input: Arc<dyn ExecutionPlan>,
    fetch: Option<usize>,
    properties: Arc<PlanProperties>,
}

impl SequenceExec {
    fn new(input: Arc<dyn ExecutionPlan>, fetch: Option<usize>) -> Self {
        let mut equivalences = input.equivalence_properties().clone();
        // An order or a constant within each partition does not hold across them.
        equivalences.clear_orderings();
        equivalences.clear_per_partition_constants();
        let properties = PlanProperties::new(
            equivalences,
            Partitioning::UnknownPartitioning(1),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        Self { input, fetch, properties: Arc::new(properties) }
    }
}

impl DisplayAs for SequenceExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fetch {
            Some(fetch) => write!(f, "SequenceExec: fetch={fetch}"),
            None => write!(f, "SequenceExec"),
        }
    }
}

impl ExecutionPlan for SequenceExec {
    fn name(&self) -> &'static str {
        "SequenceExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.pop().ok_or_else(|| internal_datafusion_err!("SequenceExec has one input"))?;
        Ok(Arc::new(Self::new(input, self.fetch)))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, _partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = Arc::clone(&self.input);
        let n_partitions = input.output_partitioning().partition_count();
        let rows = stream::iter(0..n_partitions)
            .map(move |partition| input.execute(partition, Arc::clone(&context)))
            .try_flatten();
        let rows: SendableRecordBatchStream = Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows));
        Ok(match self.fetch {
            Some(fetch) => Box::pin(LimitStream::new(
                rows,
                0,
                Some(fetch),
                BaselineMetrics::new(&ExecutionPlanMetricsSet::new(), 0),
            )),
            None => rows,
        })
    }
}
