//! A table as one statement sees it.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, internal_datafusion_err};
use datafusion::error::Result;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::create_physical_expr;
use datafusion::physical_plan::ExecutionPlan;

use super::index_scan::{IndexColumns, IndexScan, indexes_of};
use super::page_loader::PageLoader;
use super::pruning::Pruning;
use super::row_scan::RowScanExec;
use super::snapshots::{Dependency, Snapshots};
use super::visible_columns::VisibleColumns;
use crate::catalog::{SystemColumn, Table, TableKind};
use crate::partition::Snapshot;

/// A table as one statement sees it.
///
/// The provider names one partition and cannot reach any other. The run of a plan tells it which rows are in that.
#[derive(Debug)]
pub(crate) struct TableRows {
    visible_columns: VisibleColumns,
    with_deleted: bool,
    source: Source,
    pages: Option<PageLoader>,
    indexes: Vec<IndexColumns>,
    key: Option<Vec<String>>,
}

/// Where the rows are.
#[derive(Debug)]
enum Source {
    /// In a partition, as of the run.
    Stored(Dependency),
    /// Here, the same for every run.
    Given(Snapshot),
}

impl TableRows {
    /// The rows of a partition, as of the run of the plan.
    pub(crate) fn stored(dependency: Dependency, visible_columns: VisibleColumns) -> Self {
        let table = Arc::clone(&dependency.table);
        Self::new(&table, visible_columns, Source::Stored(dependency))
    }

    /// Rows that are given.
    pub(crate) fn given(table: &Table, visible_columns: VisibleColumns, rows: Snapshot) -> Self {
        Self::new(table, visible_columns, Source::Given(rows))
    }

    fn new(table: &Table, visible_columns: VisibleColumns, source: Source) -> Self {
        // A statement that names `_deleted` asks for tombstones too.
        let with_deleted = visible_columns.includes(SystemColumn::Deleted);
        let names = table.primary_key.iter().filter_map(|at| table.columns.get(*at)).map(|column| column.name.clone());
        let key = (table.has_primary_key() && table.kind != TableKind::Stream).then(|| names.collect());
        Self { visible_columns, with_deleted, source, pages: None, indexes: indexes_of(table), key }
    }

    /// The columns of the primary key, if each of its values is there once at most: a tombstone may have that of a row.
    pub(crate) fn key(&self) -> Option<Vec<String>> {
        self.key.clone().filter(|_| !self.with_deleted)
    }

    /// The partition that the rows are in, if they are stored.
    pub(crate) fn dependency(&self) -> Option<&Dependency> {
        match &self.source {
            Source::Stored(dependency) => Some(dependency),
            Source::Given(_) => None,
        }
    }

    /// Sets the reader for pages of segments.
    pub(crate) fn with_pages(mut self, pages: PageLoader) -> Self {
        self.pages = Some(pages);
        self
    }

    /// Leaves tombstones out although `_deleted` is visible.
    pub(crate) fn without_deleted(mut self) -> Self {
        self.with_deleted = false;
        self
    }
}

#[async_trait]
impl TableProvider for TableRows {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.visible_columns.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// The scan evaluates every filter whose value depends on the row alone.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(filters
            .iter()
            .map(|filter| {
                if filter.is_volatile() || contains_subquery(filter) {
                    TableProviderFilterPushDown::Unsupported
                } else {
                    TableProviderFilterPushDown::Exact
                }
            })
            .collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all = || (0..self.visible_columns.columns.len()).collect();
        let projection = projection.cloned().unwrap_or_else(all);
        let scan = RowScanExec::try_new(
            &self.visible_columns,
            &projection,
            self.rows(state)?,
            self.pages.clone(),
            self.with_deleted,
            limit,
        )?;
        let Some(filter) = conjunction(filters.iter().cloned()) else {
            return Ok(Arc::new(scan));
        };
        let referenced = self.referenced(&filter)?;
        let schema = DFSchema::try_from(self.visible_columns.schema.project(&referenced)?)?;
        let predicate =
            create_physical_expr(&filter, &schema, state.execution_props(), &PhysicalPlanningContext::default())?;
        let index = IndexScan::choose(&self.indexes, &self.visible_columns, filters);
        let pruning = Pruning::new(&self.visible_columns, filters);
        Ok(Arc::new(
            scan.with_predicate(&self.visible_columns, predicate, &referenced)?.with_index(index).with_pruning(pruning),
        ))
    }
}

impl TableRows {
    /// The rows that the run reads.
    fn rows(&self, state: &dyn Session) -> Result<Snapshot> {
        match &self.source {
            Source::Given(rows) => Ok(Arc::clone(rows)),
            Source::Stored(Dependency { table, partition }) => state
                .config()
                .get_extension::<Snapshots>()
                .and_then(|snapshots| snapshots.get(partition))
                .ok_or_else(|| internal_datafusion_err!("the run is not told the rows of {}", table.full_name())),
        }
    }

    /// Positions of the columns that a filter reads.
    fn referenced(&self, filter: &Expr) -> Result<Vec<usize>> {
        let mut indices = filter
            .column_refs()
            .into_iter()
            .map(|column| Ok(self.visible_columns.schema.index_of(column.name())?))
            .collect::<Result<Vec<_>>>()?;
        indices.sort_unstable();
        indices.dedup();
        Ok(indices)
    }
}

fn contains_subquery(filter: &Expr) -> bool {
    use datafusion::common::tree_node::TreeNode;
    filter
        .exists(|expr| {
            Ok(matches!(
                expr,
                Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) | Expr::OuterReferenceColumn(..)
            ))
        })
        .unwrap_or(true)
}
