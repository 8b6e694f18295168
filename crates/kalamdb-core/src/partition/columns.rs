use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use datafusion::arrow::array::{ArrayRef, Int64Array};
use kalamdb_store::LogRecord;

use super::sorted::Orders;
use super::{RowGroup, Sorted, reshape};
use crate::catalog::Table;
use crate::error::{Error, Result};

/// The columns of a chunk: at hand, or still to be decoded from the log record that holds them.
#[derive(Debug, Clone)]
pub(super) struct Columns(Arc<Lazy>);

/// The columns of a chunk, decoded.
#[derive(Debug)]
pub(super) struct Decoded {
    /// The user columns, in the order of the table's schema.
    pub(super) columns: Vec<ArrayRef>,
    /// The hidden row ids of a table without a primary key.
    pub(super) row_ids: Option<Int64Array>,
}

#[derive(Debug)]
struct Lazy {
    decoded: OnceLock<Result<Decoded>>,
    orders: Orders,
    /// Let go of when it is decoded.
    record: Mutex<Option<(LogRecord, Arc<Table>)>>,
}

impl Columns {
    pub(super) fn new(decoded: Decoded) -> Self {
        Self(Arc::new(Lazy { decoded: OnceLock::from(Ok(decoded)), orders: Orders::default(), record: Mutex::new(None) }))
    }

    pub(super) fn of_record(record: LogRecord, table: Arc<Table>) -> Self {
        Self(Arc::new(Lazy { decoded: OnceLock::new(), orders: Orders::default(), record: Mutex::new(Some((record, table))) }))
    }

    /// The columns in the table's current version, where these are in version `from`; still undecoded if these are.
    pub(super) fn reshaped(&self, from: u32, table: &Arc<Table>, n_rows: usize) -> Result<Self> {
        let record = self.0.record.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(record, _)| record.clone());
        if let Some(record) = record {
            return Ok(Self::of_record(record, Arc::clone(table)));
        }
        let decoded = self.get()?;
        let columns = reshape(table, from, decoded.columns.clone(), n_rows)?;
        Ok(Self::new(Decoded { columns, row_ids: decoded.row_ids.clone() }))
    }

    /// The rows in the order of some columns, while that is known.
    pub(super) fn sorted_by(&self, columns: &[usize], n_rows: usize) -> Result<Option<Arc<Sorted>>> {
        let missing = || Error::internal("a chunk lacks a column of an index");
        let values = || columns.iter().map(|&at| self.get()?.columns.get(at).cloned().ok_or_else(missing)).collect();
        self.0.orders.get(columns, values, n_rows)
    }

    pub(super) fn get(&self) -> Result<&Decoded> {
        let decoded = self.0.decoded.get_or_init(|| {
            let record = self.0.record.lock().unwrap_or_else(PoisonError::into_inner).take();
            let (record, table) = record.ok_or_else(|| Error::internal("a chunk has neither columns nor a record"))?;
            let group = RowGroup::decode(&record, &table)?;
            Ok(Decoded { columns: group.columns, row_ids: group.row_ids })
        });
        decoded.as_ref().map_err(Error::clone)
    }
}
