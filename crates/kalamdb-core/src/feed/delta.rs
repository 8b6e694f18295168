//! Rows before and after a part of a commit.

use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::Schema;

use crate::catalog::Table;
use crate::error::Result;
use crate::partition::{Appended, Chunk, take_rows};
use crate::rows::Rows;

/// The live rows that a part of a commit has taken away, and those that it has put in their place.
///
/// A row that is updated is among both, one that is deleted among the first alone, a new one among the second alone.
/// All of them have the columns that the table had when this instance took the commit in.
#[derive(Debug, Clone)]
pub struct Delta {
    table: Arc<Table>,
    removed: Rows,
    added: Rows,
}

impl Delta {
    /// # Errors
    /// Missing pages of the superseded rows; a stale snapshot if they are no more.
    pub(crate) fn of(appended: &Appended) -> Result<Self> {
        let Appended { table, chunk, superseded, before } = appended;
        let removed = take_rows(table, before, superseded)?;
        Ok(Self { table: Arc::clone(table), removed, added: live_rows(table, chunk)? })
    }

    /// The rows as they were before.
    ///
    /// # Errors
    /// `internal_error`.
    pub fn removed(&self) -> Result<RecordBatch> {
        self.batch(&self.removed)
    }

    /// The rows as they are now.
    ///
    /// # Errors
    /// `internal_error`.
    pub fn added(&self) -> Result<RecordBatch> {
        self.batch(&self.added)
    }

    fn batch(&self, rows: &Rows) -> Result<RecordBatch> {
        let schema = Arc::new(Schema::new(self.table.fields.clone()));
        let options = RecordBatchOptions::new().with_row_count(Some(rows.n_rows));
        Ok(RecordBatch::try_new_with_options(schema, rows.columns.clone(), &options)?)
    }
}

/// The rows of a chunk of one commit: all of them are live, or none is.
fn live_rows(table: &Table, chunk: &Chunk) -> Result<Rows> {
    if chunk.has_tombstones() {
        return take_rows(table, &Arc::default(), &[]);
    }
    Ok(Rows {
        columns: (0..table.columns.len()).map(|at| chunk.column(at)).collect::<Result<Vec<_>>>()?,
        row_ids: chunk.row_ids()?,
        n_rows: chunk.n_rows(),
    })
}
