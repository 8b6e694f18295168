//! Turns for everybody else while a query runs, and the end of one that its caller has given up.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::unnest::UnnestExec;
use futures::future::LocalBoxFuture;
use futures::{FutureExt, Stream, StreamExt};
use send_wrapper::SendWrapper;

use super::passing::PassingExec;
use crate::call::Steps;
use crate::error::into_datafusion;

/// The plan with a step for each batch of the operators that give more than they are given at once: scans, sorts,
/// aggregates, joins and what unnests. The operators above take batches from one of them.
///
/// No rule of the optimizer, so that EXPLAIN shows the operators alone.
pub(crate) fn cooperative(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|node| {
        if !is_source(&node) {
            return Ok(Transformed::no(node));
        }
        Ok(Transformed::yes(PassingExec::above(node, "CooperativeExec", stepped)))
    })
    .data()
}

fn is_source(node: &Arc<dyn ExecutionPlan>) -> bool {
    node.children().len() != 1
        || node.properties().emission_type != EmissionType::Incremental
        || node.is::<UnnestExec>()
}

/// Has a step taken before each batch.
fn stepped(batches: SendableRecordBatchStream, context: &TaskContext) -> SendableRecordBatchStream {
    match context.session_config().get_extension::<Steps>() {
        Some(steps) => Box::pin(SteppedBatches { batches, steps, turn: None }),
        None => batches,
    }
}

/// Batches, a step for each.
struct SteppedBatches {
    batches: SendableRecordBatchStream,
    steps: Arc<Steps>,
    /// What is waited for before the next batch.
    turn: Option<SendWrapper<LocalBoxFuture<'static, ()>>>,
}

impl Stream for SteppedBatches {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.turn.is_none() {
            match self.steps.step() {
                Ok(turn) => self.turn = turn.map(SendWrapper::new),
                Err(error) => return Poll::Ready(Some(Err(into_datafusion(error)))),
            }
        }
        if let Some(turn) = &mut self.turn {
            ready!(turn.poll_unpin(context));
            self.turn = None;
        }
        self.batches.poll_next_unpin(context)
    }
}

impl RecordBatchStream for SteppedBatches {
    fn schema(&self) -> SchemaRef {
        self.batches.schema()
    }
}
