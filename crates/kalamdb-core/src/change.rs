//! What a statement wants written, and what came of it.

use std::sync::Arc;

use datafusion::arrow::array::{Array, Int64Array};
use kalamdb_store::{CatalogRecord, RowState, TableId};

use crate::catalog::{Catalog, PartitionId, Table};
use crate::error::Result;
use crate::partition::RowGroup;
use crate::rows::Rows;

/// What one statement changes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub(crate) rows: Vec<TableChange>,
    pub(crate) catalog: Option<CatalogChange>,
}

/// Row versions to add to one partition, all of one state.
#[derive(Debug, Clone)]
pub(crate) struct TableChange {
    pub(crate) table: Arc<Table>,
    pub(crate) partition: PartitionId,
    pub(crate) state: RowState,
    /// True if these rows supersede nothing: none has an earlier version. A deleted row may have had the same key.
    pub(crate) is_new: bool,
    pub(crate) rows: Rows,
}

/// The next catalog, and the records that lead to it.
#[derive(Debug, Clone)]
pub(crate) struct CatalogChange {
    pub(crate) catalog: Catalog,
    pub(crate) put: Vec<CatalogRecord>,
    pub(crate) drop: Vec<String>,
    /// Tables whose log records go.
    pub(crate) drop_rows_of: Vec<TableId>,
    /// The id after the last one used.
    pub(crate) next_id: TableId,
}

impl Change {
    /// Adds the rows of a change that was computed on top of this one.
    pub(crate) fn append(&mut self, next: Self) {
        self.rows.extend(next.rows);
        self.catalog = next.catalog.or(self.catalog.take());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.catalog.is_none() && self.n_rows() == 0
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.rows.iter().map(|change| change.rows.n_rows).sum()
    }

    /// About how much memory the values take.
    pub(crate) fn n_bytes(&self) -> usize {
        self.rows.iter().flat_map(|change| &change.rows.columns).map(|column| column.get_array_memory_size()).sum()
    }
}

impl TableChange {
    /// Hidden row ids for new rows: the sequence numbers of their first versions, which nothing else has.
    pub(crate) fn assign_row_ids(&mut self, first_seq: u64) {
        if !self.table.has_primary_key() && self.rows.row_ids.is_none() {
            let first = first_seq.cast_signed();
            self.rows.row_ids = Some(Int64Array::from_iter_values(first..first + self.rows.n_rows as i64));
        }
    }

    /// Whether the rows can be one record with those of `next`, which come after them.
    pub(crate) fn goes_with(&self, next: &Self) -> bool {
        // Rows with earlier versions may be versions of each other.
        let is_insert = |change: &Self| change.is_new && change.state == RowState::Live;
        is_insert(self)
            && is_insert(next)
            && self.partition == next.partition
            && self.table.schema_version == next.table.schema_version
    }

    /// One change out of those that go with each other.
    pub(crate) fn concat(mut run: Vec<Self>) -> Result<Option<Self>> {
        if run.len() < 2 {
            return Ok(run.pop());
        }
        let parts: Vec<&Rows> = run.iter().map(|part| &part.rows).collect();
        let rows = Rows::concat(&parts)?;
        Ok(run.pop().map(|last| Self { rows, ..last }))
    }

    /// The row versions, numbered from `first_seq` on.
    pub(crate) fn group(&self, first_seq: u64, updated_us: i64) -> RowGroup {
        RowGroup {
            state: self.state,
            is_new: self.is_new,
            columns: self.rows.columns.clone(),
            row_ids: self.rows.row_ids.clone(),
            first_seq,
            updated_us,
            n_rows: self.rows.n_rows,
        }
    }
}
/// What a commit has done.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Committed {
    /// The sequence number of the last row version written, if any was.
    pub(crate) seq: Option<u64>,
}
