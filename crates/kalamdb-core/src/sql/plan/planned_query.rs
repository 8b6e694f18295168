//! A query that is planned: a value that can be kept, run again and streamed.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::Schema;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use futures::TryStreamExt;

use super::query::StatementContext;
use crate::access::Principal;
use crate::catalog::Catalog;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::physical::{cooperative, held, sizes};
use crate::sql::subqueries;
use crate::tables::{Dependency, TableRows};

/// A query that is planned. Each run is told the rows that it reads.
///
/// What depends on the rows or on the time is decided by the run: the optimizer folds `now()` and counts rows.
#[derive(Debug)]
pub(crate) struct PlannedQuery {
    plan: LogicalPlan,
    /// The columns of the result.
    pub(crate) schema: Arc<Schema>,
    dependencies: Vec<Dependency>,
    /// Whether all rows that it reads are those of its dependencies, and none are in the plan itself.
    is_repeatable: bool,
    catalog: Arc<Catalog>,
    principal: Principal,
}

/// The batches of a run, and what it runs in.
type Running = (SendableRecordBatchStream, Arc<TaskContext>);

/// The rows of a query.
#[derive(Debug)]
pub(crate) struct QueryRows {
    pub(crate) schema: Arc<Schema>,
    pub(crate) batches: Vec<RecordBatch>,
}

impl QueryRows {
    pub(crate) fn n_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

impl PlannedQuery {
    /// A plan made against `catalog` on behalf of `principal`.
    pub(super) fn new(
        plan: LogicalPlan,
        schema: Arc<Schema>,
        catalog: Arc<Catalog>,
        principal: Principal,
    ) -> Result<Self> {
        let (mut dependencies, mut is_repeatable) = (Vec::<Dependency>::new(), true);
        plan.apply_with_subqueries(|node| {
            if let LogicalPlan::TableScan(scan) = node {
                let provider = source_as_provider(&scan.source)?;
                let provider = (provider.as_ref() as &dyn std::any::Any).downcast_ref::<TableRows>();
                match provider.and_then(TableRows::dependency) {
                    Some(found) if dependencies.iter().any(|known| known.partition == found.partition) => {}
                    Some(found) => dependencies.push(found.clone()),
                    None => is_repeatable = false,
                }
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(Self { plan, schema, dependencies, is_repeatable, catalog, principal })
    }

    /// The partitions whose rows it reads.
    pub(crate) fn dependencies(&self) -> &[Dependency] {
        &self.dependencies
    }

    /// Whether it still means in `context` what its statement means there.
    pub(crate) fn is_current(&self, context: &StatementContext<'_>) -> bool {
        self.is_repeatable && Arc::ptr_eq(&self.catalog, &context.view.catalog())
    }

    /// Runs it on the rows of `context`.
    ///
    /// # Errors
    /// `insufficient_privilege` if another principal has planned it; what evaluation fails with.
    pub(crate) async fn run(&self, context: &StatementContext<'_>) -> Result<QueryRows> {
        collect(Arc::clone(&self.schema), self.execute(self.plan.clone(), context).await?, None).await
    }

    /// As [`Self::run`], without a copy of the plan; stops after so many rows.
    pub(crate) async fn run_once(
        mut self,
        context: &StatementContext<'_>,
        max_rows: Option<usize>,
    ) -> Result<QueryRows> {
        let plan = std::mem::take(&mut self.plan);
        collect(Arc::clone(&self.schema), self.execute(plan, context).await?, max_rows).await
    }

    /// Runs it on the rows of `context`, which the stream holds on to; gives the rows as they are asked for.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub(crate) async fn stream(&self, context: &StatementContext<'_>) -> Result<SendableRecordBatchStream> {
        Ok(self.execute(self.plan.clone(), context).await?.0)
    }

    async fn execute(&self, plan: LogicalPlan, context: &StatementContext<'_>) -> Result<Running> {
        if self.principal != *context.principal {
            return Err(Error::new(ErrorKind::InsufficientPrivilege, "another user has planned the query"));
        }
        context.take_snapshots(&self.dependencies)?;
        let plan = context.state().optimize(&subqueries::rewrite(plan)?)?;
        let small = sizes::check(&plan)?.map(|batch_size| {
            let mut state = context.state().clone();
            *state.config_mut() = state.config().clone().with_batch_size(batch_size);
            Box::new(state)
        });
        let state = small.as_deref().unwrap_or_else(|| context.state());
        let physical = state.query_planner().create_physical_plan(&plan, state).await?;
        let task = state.task_ctx();
        Ok((execute_stream(cooperative(physical)?, Arc::clone(&task))?, task))
    }
}

async fn collect(schema: Arc<Schema>, (rows, task): Running, max_rows: Option<usize>) -> Result<QueryRows> {
    // The rows are there twice when they are handed over: as they are, and as what is sent.
    let mut rows = held(rows, "the result", &task, 2);
    let (mut batches, mut left) = (Vec::new(), max_rows.unwrap_or(usize::MAX));
    while left > 0
        && let Some(batch) = rows.try_next().await?
    {
        let n_rows = batch.num_rows().min(left);
        left -= n_rows;
        batches.push(if n_rows < batch.num_rows() { batch.slice(0, n_rows) } else { batch });
    }
    Ok(QueryRows { schema, batches })
}
