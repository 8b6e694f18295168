//! Memory for what operators hold without asking for it.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::sorts::partial_sort::PartialSortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions};
use futures::StreamExt;

use super::passing::PassingExec;
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
            let above = |child: &Arc<dyn ExecutionPlan>| {
                PassingExec::above(Arc::clone(child), "HeldExec", |rows, context| held(rows, "a window", context, 1))
            };
            let children = node.children().into_iter().map(above).collect();
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
