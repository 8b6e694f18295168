//! Memory for what operators hold without asking for it.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::config::ConfigOptions;
use datafusion::common::internal_datafusion_err;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::sorts::partial_sort::PartialSortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions,
};
use futures::StreamExt;

use crate::functions::data_size;

/// Has memory asked for below the operators that keep their input and do not ask.
#[derive(Debug)]
pub(crate) struct Held;

impl PhysicalOptimizerRule for Held {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            if !(node.is::<WindowAggExec>() || node.is::<BoundedWindowAggExec>() || node.is::<PartialSortExec>()) {
                return Ok(Transformed::no(node));
            }
            let children =
                node.children().into_iter().map(|child| Arc::new(HeldExec { input: Arc::clone(child) }) as _).collect();
            let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            Ok(Transformed::yes(node.replace_children(children, options)?))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "held"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Passes rows on and asks for the memory that they take, until all have been passed.
#[derive(Debug)]
struct HeldExec {
    input: Arc<dyn ExecutionPlan>,
}

impl DisplayAs for HeldExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeldExec")
    }
}

impl ExecutionPlan for HeldExec {
    fn name(&self) -> &'static str {
        "HeldExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
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
        let input = children.pop().ok_or_else(|| internal_datafusion_err!("HeldExec has one input"))?;
        Ok(Arc::new(Self { input }))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        Ok(held(self.input.execute(partition, Arc::clone(&context))?, "a window", &context, 1))
    }
}

/// Rows, with `n_copies` times the memory that they take reserved until the stream is dropped.
pub(crate) fn held(
    rows: SendableRecordBatchStream,
    what: &str,
    context: &TaskContext,
    n_copies: usize,
) -> SendableRecordBatchStream {
    let reservation = MemoryConsumer::new(what).register(context.memory_pool());
    let schema = rows.schema();
    let rows = rows.map(move |batch| {
        let batch = batch?;
        reservation.try_grow(size_of(&batch).saturating_mul(n_copies))?;
        Ok(batch)
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}

/// What the rows of a batch take, whatever else they share their arrays with.
pub(crate) fn size_of(batch: &RecordBatch) -> usize {
    let n_bytes = batch.columns().iter().map(|column| data_size(column.as_ref())).fold(0, u64::saturating_add);
    usize::try_from(n_bytes).unwrap_or(usize::MAX)
}
