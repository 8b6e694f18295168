//! What a statement gave.

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::Schema;
use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::functions::data_size;

/// The largest result, in bytes: 256 MiB. What is sent may take some times as much, in one piece that grows.
const MAX_RESULT_BYTES: u64 = 256 << 20;

/// What a statement has given.
#[derive(Debug, Clone)]
pub struct StatementResult {
    /// The kind of statement, for instance `SELECT`.
    pub command: &'static str,
    /// The result's columns; empty for statements that return no rows.
    pub fields: Vec<ResultField>,
    /// The rows, in order.
    pub batches: Vec<RecordBatch>,
    /// How many rows INSERT, UPDATE or DELETE has written.
    pub affected_rows: Option<u64>,
    /// The sequence number of the last row version written.
    pub seq: Option<u64>,
    /// How long the statement took, in microseconds.
    pub took_us: i64,
    /// The user that EXECUTE AS USER has run the statement as.
    pub as_user: Option<String>,
}

/// One column of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResultField {
    /// The column's name.
    pub name: String,
    /// The SQL type's name, for instance `BIGINT`.
    #[serde(rename = "type")]
    pub type_name: String,
}

impl StatementResult {
    pub(crate) fn rows(command: &'static str, schema: &Schema, batches: Vec<RecordBatch>) -> Self {
        let field = |field: &std::sync::Arc<datafusion::arrow::datatypes::Field>| ResultField {
            name: field.name().clone(),
            type_name: kalamdb_types::type_name(field),
        };
        Self {
            command,
            fields: schema.fields().iter().map(field).collect(),
            batches,
            affected_rows: None,
            seq: None,
            took_us: 0,
            as_user: None,
        }
    }

    pub(crate) fn affected(command: &'static str, n_rows: usize, seq: Option<u64>) -> Self {
        Self {
            command,
            fields: vec![],
            batches: vec![],
            affected_rows: Some(n_rows as u64),
            seq,
            took_us: 0,
            as_user: None,
        }
    }

    pub(crate) fn done(command: &'static str) -> Self {
        Self { command, fields: vec![], batches: vec![], affected_rows: None, seq: None, took_us: 0, as_user: None }
    }

    /// Refuses results that are too large to hand over, all of those of a call together.
    ///
    /// # Errors
    /// `out_of_memory`.
    pub(crate) fn check_size<'a>(results: impl IntoIterator<Item = &'a Self>) -> Result<()> {
        let columns = results.into_iter().flat_map(|result| &result.batches).flat_map(RecordBatch::columns);
        let n_bytes = columns.map(|column| data_size(column.as_ref())).fold(0, u64::saturating_add);
        if n_bytes <= MAX_RESULT_BYTES {
            return Ok(());
        }
        let message = format!("the result has {n_bytes} bytes; at most {MAX_RESULT_BYTES} are handed over");
        Err(Error::new(ErrorKind::OutOfMemory, message).with_hint("read fewer rows at once"))
    }

    /// How many rows the result holds.
    pub fn row_count(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}
