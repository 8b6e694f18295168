//! The scan of one partition.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array, UInt64Array,
};
use datafusion::arrow::buffer::BooleanBuffer;
use datafusion::arrow::compute::{FilterBuilder, prep_null_mask_filter, take};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Statistics, internal_datafusion_err};
use datafusion::error::Result;
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, ReplaceChildrenOptions, StatisticsArgs,
};
use futures::stream;

use super::index_scan::IndexScan;
use super::page_loader::PageLoader;
use super::pruning::Pruning;
use super::visible_columns::{VisibleColumn, VisibleColumns};
use crate::call::{ProgressPhase, Steps};
use crate::error::into_datafusion;
use crate::partition::{Chunk, RowAddress, Snapshot};
use crate::retry::PageRef;
use crate::rows::compact;

/// Scans the rows of one partition.
///
/// # Shape
/// Batches of at most the session's batch size, in the order of the chunks. An empty projection yields row counts only.
/// Superseded versions are never returned, tombstones only where the statement names `_deleted`.
///
/// # Limit
/// At most `limit` rows pass; the predicate is evaluated first.
#[derive(Debug, Clone)]
pub(crate) struct RowScanExec {
    output: Vec<VisibleColumn>,
    snapshot: Snapshot,
    with_deleted: bool,
    predicate: Option<Predicate>,
    index: Option<IndexScan>,
    pruning: Pruning,
    pages: Option<PageLoader>,
    limit: Option<usize>,
    properties: Arc<PlanProperties>,
}

/// A filter over columns of its own, which need not be in the output.
#[derive(Debug, Clone)]
struct Predicate {
    expr: Arc<dyn PhysicalExpr>,
    columns: Vec<VisibleColumn>,
    schema: SchemaRef,
}

impl RowScanExec {
    pub(crate) fn try_new(
        visible_columns: &VisibleColumns,
        projection: &[usize],
        snapshot: Snapshot,
        pages: Option<PageLoader>,
        with_deleted: bool,
        limit: Option<usize>,
    ) -> Result<Self> {
        let schema = Arc::new(visible_columns.schema.project(projection)?);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self {
            output: select(visible_columns, projection)?,
            snapshot,
            with_deleted,
            predicate: None,
            index: None,
            pruning: Pruning::default(),
            pages,
            limit,
            properties: Arc::new(properties),
        })
    }

    /// Adds a filter; `expr` is over the columns at the positions `columns`.
    pub(crate) fn with_predicate(
        mut self,
        visible_columns: &VisibleColumns,
        expr: Arc<dyn PhysicalExpr>,
        columns: &[usize],
    ) -> Result<Self> {
        let schema = Arc::new(visible_columns.schema.project(columns)?);
        self.predicate = Some(Predicate { expr, columns: select(visible_columns, columns)?, schema });
        Ok(self)
    }

    /// Sets the index that finds the rows; the filter is evaluated on these rows alone.
    pub(crate) fn with_index(mut self, index: Option<IndexScan>) -> Self {
        self.index = index;
        self
    }

    /// Sets what is known of the rows that pass, by which segments are left out.
    pub(crate) fn with_pruning(mut self, pruning: Pruning) -> Self {
        self.pruning = pruning;
        self
    }

    fn n_visible(&self) -> usize {
        let visible =
            |chunk: &Chunk| chunk.visible(self.with_deleted).map_or(chunk.n_rows(), |mask| mask.count_set_bits());
        self.snapshot.iter().map(visible).sum()
    }
}

fn select(visible_columns: &VisibleColumns, positions: &[usize]) -> Result<Vec<VisibleColumn>> {
    positions
        .iter()
        .map(|&at| {
            visible_columns
                .columns
                .get(at)
                .copied()
                .ok_or_else(|| internal_datafusion_err!("column {at} is outside the table"))
        })
        .collect()
}

impl DisplayAs for RowScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.properties.eq_properties.schema();
        let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(f, "RowScanExec: columns=[{}]", columns.join(", "))?;
        if let Some(predicate) = &self.predicate {
            write!(f, ", predicate={}", predicate.expr)?;
        }
        if let Some(index) = &self.index {
            write!(f, ", index={}", index.name())?;
        }
        if let Some(limit) = self.limit {
            write!(f, ", limit={limit}")?;
        }
        Ok(())
    }
}

impl ExecutionPlan for RowScanExec {
    fn name(&self) -> &'static str {
        "RowScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        match &self.predicate {
            Some(predicate) => f(&predicate.expr),
            None => Ok(TreeNodeRecursion::Continue),
        }
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, _partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let steps = context.session_config().get_extension::<Steps>();
        if let Some(steps) = &steps {
            steps.progress().expect(ProgressPhase::Reading, self.snapshot.iter().map(Chunk::n_rows).sum());
        }
        let batches = Batches {
            scan: self.clone(),
            steps,
            batch_rows: context.session_config().batch_size().max(1),
            chunk: 0,
            row: 0,
            current: None,
            remaining: self.limit.unwrap_or(usize::MAX),
            is_memory_limited: matches!(context.memory_pool().memory_limit(), MemoryLimit::Finite(_)),
        };
        let next = |mut batches: Batches| async move { batches.next().await.map(|batch| (batch, batches)) };
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream::unfold(batches, next))))
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema());
        let rows = self.n_visible();
        statistics.num_rows = match (&self.predicate, self.limit) {
            (None, None) => Precision::Exact(rows),
            (None, Some(limit)) => Precision::Exact(rows.min(limit)),
            (Some(_), limit) => Precision::Inexact(rows.min(limit.unwrap_or(rows))),
        };
        Ok(Arc::new(statistics))
    }
}

/// The columns of the chunk that a scan is in.
struct CurrentChunk {
    n_rows: usize,
    output: Vec<ArrayRef>,
    predicate: Vec<ArrayRef>,
    visible: Option<BooleanBuffer>,
}

struct Batches {
    scan: RowScanExec,
    steps: Option<Arc<Steps>>,
    batch_rows: usize,
    chunk: usize,
    row: usize,
    current: Option<CurrentChunk>,
    remaining: usize,
    /// Operators are charged for all that a batch holds on to, which must not be the whole chunk then.
    is_memory_limited: bool,
}

impl Batches {
    async fn next(&mut self) -> Option<Result<RecordBatch>> {
        loop {
            if self.remaining == 0 {
                return None;
            }
            let current = match self.current.take() {
                Some(current) if self.row < current.n_rows => current,
                ended => {
                    self.chunk += usize::from(ended.is_some());
                    self.row = 0;
                    match self.open_chunk().await? {
                        Ok(chunk) => chunk,
                        Err(error) => {
                            self.remaining = 0;
                            return Some(Err(error));
                        }
                    }
                }
            };
            let from = self.row;
            let len = self.batch_rows.min(current.n_rows - from);
            self.row += len;
            self.advance(len);
            let batch = self.batch(&current, from, len);
            self.current = Some(current);
            match batch {
                Ok(Some(batch)) => {
                    self.remaining -= batch.num_rows();
                    return Some(Ok(batch));
                }
                Ok(None) => {}
                Err(error) => {
                    self.remaining = 0;
                    return Some(Err(error));
                }
            }
        }
    }
}

impl Batches {
    /// The columns of the chunk that comes next; `None` after the last.
    async fn open_chunk(&mut self) -> Option<Result<CurrentChunk>> {
        let chunk = loop {
            let chunk = self.scan.snapshot.get(self.chunk)?;
            if chunk.segment().is_none_or(|segment| self.scan.pruning.may_pass(segment)) {
                break chunk;
            }
            self.advance(chunk.n_rows());
            self.chunk += 1;
        };
        let missing = self.missing_pages(chunk);
        // The columns hold on to their values from then on, so that pages need to stay for this moment only.
        let pins = match &self.scan.pages {
            Some(pages) if !missing.is_empty() => Some(pages.load(missing).await),
            _ => None,
        };
        if let Some(Err(error)) = pins {
            return Some(Err(into_datafusion(error)));
        }
        let open = || {
            let rows = match &self.scan.index {
                Some(index) => index.candidates(chunk).map_err(into_datafusion)?.map(UInt32Array::from),
                None => None,
            };
            let values = |columns: &[VisibleColumn]| {
                columns.iter().map(|column| self.values(*column, chunk, rows.as_ref())).collect()
            };
            let visible = chunk.visible(self.scan.with_deleted);
            let n_rows = rows.as_ref().map_or(chunk.n_rows(), Array::len);
            // The index leads past the others.
            self.advance(chunk.n_rows().saturating_sub(n_rows));
            Ok(CurrentChunk {
                n_rows,
                output: values(&self.scan.output)?,
                predicate: self
                    .scan
                    .predicate
                    .as_ref()
                    .map_or_else(|| Ok(Vec::new()), |predicate| values(&predicate.columns))?,
                visible: match &rows {
                    Some(rows) => {
                        visible.map(|visible| rows.values().iter().map(|row| visible.value(*row as usize)).collect())
                    }
                    None => visible,
                },
            })
        };
        Some(open())
    }

    fn advance(&self, n_rows: usize) {
        if let Some(steps) = &self.steps {
            steps.progress().advance(n_rows);
        }
    }

    /// The pages of a segment that the scan needs and that are not in memory.
    fn missing_pages(&self, chunk: &Chunk) -> Vec<PageRef> {
        let Some(segment) = chunk.segment() else { return Vec::new() };
        let predicate = self.scan.predicate.iter().flat_map(|predicate| &predicate.columns);
        let index = self.scan.index.iter().flat_map(|index| index.columns()).filter_map(|&at| segment.page_of(at));
        let needed = self.scan.output.iter().chain(predicate).filter_map(|column| column.page(segment));
        let mut missing = segment.missing(needed.chain(index));
        missing.sort_unstable_by_key(|page| page.key);
        missing.dedup_by_key(|page| page.key);
        missing
    }

    /// A column's values in a chunk, or in those of its rows that the index leads to.
    fn values(&self, column: VisibleColumn, chunk: &Chunk, rows: Option<&UInt32Array>) -> Result<ArrayRef> {
        Ok(match (rows, column) {
            (Some(rows), VisibleColumn::Address) => Arc::new(UInt64Array::from_iter_values(
                rows.values().iter().map(|row| RowAddress::new(self.chunk, *row as usize).0),
            )),
            (Some(rows), _) => take(&column.values(chunk, self.chunk).map_err(into_datafusion)?, rows, None)?,
            (None, _) => column.values(chunk, self.chunk).map_err(into_datafusion)?,
        })
    }

    /// The rows from `from` on that pass, or `None` if none does.
    fn batch(&self, current: &CurrentChunk, from: usize, len: usize) -> Result<Option<RecordBatch>> {
        let mut mask = current.visible.as_ref().map(|visible| visible.slice(from, len));
        if let Some(predicate) = &self.scan.predicate {
            let columns = current.predicate.iter().map(|column| column.slice(from, len)).collect();
            let passed = evaluate(predicate, columns, len)?;
            mask = Some(match mask {
                Some(mask) => &mask & &passed,
                None => passed,
            });
        }
        let rows = mask.as_ref().map_or(len, BooleanBuffer::count_set_bits);
        let taken = rows.min(self.remaining);
        if taken == 0 {
            return Ok(None);
        }
        let filter = mask
            .filter(|_| rows < len)
            .map(|mask| FilterBuilder::new(&BooleanArray::new(mask, None)).optimize().build());
        let columns = current
            .output
            .iter()
            .map(|column| {
                let column = column.slice(from, len);
                let column = match &filter {
                    Some(filter) => filter.filter(&column)?,
                    None => column,
                };
                let column = column.slice(0, taken);
                if self.is_memory_limited { compact(&column) } else { Ok(column) }
            })
            .collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(taken));
        Ok(Some(RecordBatch::try_new_with_options(self.scan.schema(), columns, &options)?))
    }
}

fn evaluate(predicate: &Predicate, columns: Vec<ArrayRef>, len: usize) -> Result<BooleanBuffer> {
    let options = RecordBatchOptions::new().with_row_count(Some(len));
    let batch = RecordBatch::try_new_with_options(Arc::clone(&predicate.schema), columns, &options)?;
    let passed = predicate.expr.evaluate(&batch)?.into_array(len)?;
    let passed = passed.as_boolean_opt().ok_or_else(|| internal_datafusion_err!("a filter is not boolean"))?;
    // A row whose filter is NULL does not pass.
    let passed = if passed.null_count() > 0 { prep_null_mask_filter(passed) } else { passed.clone() };
    Ok(passed.values().clone())
}
