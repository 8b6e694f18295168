//! Rows as one record of the log holds them.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array};
use datafusion::arrow::datatypes::Int64Type;
use kalamdb_store::{LogKey, LogRecord, PartitionId as StoredId, RowState};

use crate::catalog::Table;
use crate::error::{Error, ErrorKind, Result};
use crate::rows::upgrade_to;

/// The most rows that one log record holds: large commits are read and checked in pieces.
const RECORD_ROWS: usize = 16_384;

/// Row versions of one state, written by one commit.
#[derive(Debug, Clone)]
pub(crate) struct RowGroup {
    pub(crate) state: RowState,
    /// True if these rows supersede nothing: none has an earlier version. A deleted row may have had the same key.
    pub(crate) is_new: bool,
    /// The user columns, in the order of the table's schema.
    pub(crate) columns: Vec<ArrayRef>,
    /// The hidden row ids of a table without a primary key.
    pub(crate) row_ids: Option<Int64Array>,
    /// The sequence number of the first row; the others count on.
    pub(crate) first_seq: u64,
    /// When the rows were written, in microseconds since the epoch.
    pub(crate) updated_us: i64,
    pub(crate) n_rows: usize,
}

impl RowGroup {
    /// Turns the group into log records, appended to `log`.
    pub(crate) fn encode(
        &self,
        table: &Table,
        partition: &StoredId,
        commit: u64,
        log: &mut Vec<LogRecord>,
    ) -> Result<()> {
        let types = table.stored_types();
        let row_ids = self.row_ids.clone().map(|ids| Arc::new(ids) as ArrayRef);
        let columns: Vec<ArrayRef> = row_ids.into_iter().chain(self.columns.iter().cloned()).collect();
        let mut from = 0;
        while from < self.n_rows {
            let to = (from + RECORD_ROWS).min(self.n_rows);
            let mut rows = Vec::new();
            kalamdb_types::json::encode_rows(&columns, &types, from, to, &mut rows)
                .map_err(|error| Error::internal(error.to_string()))?;
            log.push(LogRecord {
                key: LogKey { commit, part: u32::try_from(log.len()).map_err(|_| too_many_records())? },
                partition: partition.clone(),
                schema_version: table.schema_version,
                first_seq: self.first_seq + from as u64,
                updated_us: self.updated_us,
                state: self.state,
                is_new: self.is_new,
                n_rows: u32::try_from(to - from).map_err(|_| too_many_records())?,
                rows,
            });
            from = to;
        }
        Ok(())
    }

    /// The rows numbered from `first_seq` on.
    pub(crate) fn since_seq(self, first_seq: u64) -> Self {
        let n_earlier =
            usize::try_from(first_seq.saturating_sub(self.first_seq)).unwrap_or(usize::MAX).min(self.n_rows);
        let n_rows = self.n_rows - n_earlier;
        Self {
            columns: self.columns.iter().map(|column| column.slice(n_earlier, n_rows)).collect(),
            row_ids: self.row_ids.map(|ids| ids.slice(n_earlier, n_rows)),
            first_seq: self.first_seq + n_earlier as u64,
            n_rows,
            ..self
        }
    }

    /// The same rows with the current version of the table's columns, where the group has version `from` of them.
    pub(crate) fn upgraded(self, from: u32, table: &Table) -> Result<Self> {
        Ok(Self { columns: upgrade_to(table, from, self.columns, self.n_rows)?, ..self })
    }

    /// Reads the group back from one log record, in the table's current version of its columns.
    ///
    /// # Errors
    /// `data_corrupted`, naming table and record.
    pub(crate) fn decode(record: &LogRecord, table: &Table) -> Result<Self> {
        let damaged = |what: String| {
            let message = format!("table {}: log/{} is damaged: {what}", table.full_name(), record.key.commit);
            Error::new(ErrorKind::DataCorrupted, message)
        };
        let n_rows = record.n_rows as usize;
        let version = record.schema_version;
        let written =
            table.columns_of(version).ok_or_else(|| damaged(format!("the table has no schema version {version}")))?;
        let types = table.stored_types_of(written);
        let mut columns = kalamdb_types::json::decode_rows(&record.rows, &types, n_rows)
            .map_err(|error| damaged(error.to_string()))?;
        if columns.iter().any(|column| column.len() != n_rows) {
            return Err(damaged(format!("it does not hold the {n_rows} rows that it announces")));
        }
        let row_ids = if table.has_primary_key() {
            None
        } else {
            let ids = columns.remove(0);
            Some(
                ids.as_primitive_opt::<Int64Type>()
                    .cloned()
                    .ok_or_else(|| damaged("its row ids are not integers".to_owned()))?,
            )
        };
        let columns = upgrade_to(table, version, columns, n_rows)?;
        Ok(Self {
            state: record.state,
            is_new: record.is_new,
            columns,
            row_ids,
            first_seq: record.first_seq,
            updated_us: record.updated_us,
            n_rows,
        })
    }
}

fn too_many_records() -> Error {
    Error::new(ErrorKind::ProgramLimitExceeded, "one statement writes too many rows")
}
