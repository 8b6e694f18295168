use std::sync::Arc;

use datafusion::arrow::array::Int64Array;
use kalamdb_store::{CatalogRecord, LogKey, RowState, TableId};

use super::Rows;
use crate::catalog::{Catalog, Table};

/// What one statement changes.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub(crate) rows: Vec<TableChange>,
    pub(crate) catalog: Option<CatalogChange>,
}

/// Row versions to add to one table, all of one state.
#[derive(Debug)]
pub(crate) struct TableChange {
    pub(crate) table: Arc<Table>,
    pub(crate) state: RowState,
    /// True if none of these rows has an earlier version.
    pub(crate) fresh: bool,
    pub(crate) rows: Rows,
}

/// The next catalog, and the records that lead to it.
#[derive(Debug)]
pub(crate) struct CatalogChange {
    pub(crate) catalog: Catalog,
    pub(crate) put: Vec<CatalogRecord>,
    pub(crate) drop: Vec<String>,
    /// Log records of the tables that are dropped.
    pub(crate) drop_log: Vec<LogKey>,
    /// The id after the last one used.
    pub(crate) next_id: TableId,
}

impl Change {
    pub(crate) fn is_empty(&self) -> bool {
        self.catalog.is_none() && self.rows.iter().all(|change| change.rows.n_rows == 0)
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
}
