//! The columns of a chunk: in memory, decoded on first use, or pages of a segment.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use datafusion::arrow::array::{ArrayRef, Int64Array};
use kalamdb_store::LogRecord;

use super::index_order::{Orders, Sorted};
use super::row_group::RowGroup;
use crate::catalog::Table;
use crate::error::{Error, Result};
use crate::rows::upgrade_to;
use crate::segment::SegmentColumns;

/// The columns of a chunk.
#[derive(Debug, Clone)]
pub(super) enum Columns {
    /// At hand, or still to be decoded from the log record that holds them.
    Hot(Arc<Lazy>),
    /// Pages of a segment, which are read when they are needed.
    Cold(Arc<Cold>),
}

#[derive(Debug)]
pub(super) struct Cold {
    columns: SegmentColumns,
    orders: Orders,
}

/// The columns of a chunk, decoded.
#[derive(Debug)]
pub(super) struct Decoded {
    /// The user columns, in the order of the table's schema.
    pub(super) columns: Vec<ArrayRef>,
    /// The hidden row ids of a table without a primary key.
    pub(super) row_ids: Option<Int64Array>,
}

#[derive(Debug)]
pub(super) struct Lazy {
    decoded: OnceLock<Result<Decoded>>,
    orders: Orders,
    /// Dropped once it is decoded.
    record: Mutex<Option<(LogRecord, Arc<Table>)>>,
}

impl Columns {
    pub(super) fn new(decoded: Decoded) -> Self {
        Self::Hot(Arc::new(Lazy {
            decoded: OnceLock::from(Ok(decoded)),
            orders: Orders::default(),
            record: Mutex::new(None),
        }))
    }

    pub(super) fn of_record(record: LogRecord, table: Arc<Table>) -> Self {
        Self::Hot(Arc::new(Lazy {
            decoded: OnceLock::new(),
            orders: Orders::default(),
            record: Mutex::new(Some((record, table))),
        }))
    }

    pub(super) fn of_segment(columns: SegmentColumns) -> Self {
        Self::Cold(Arc::new(Cold { columns, orders: Orders::default() }))
    }

    /// The columns in the table's current version, where these are in version `from`; still undecoded if these are.
    pub(super) fn upgraded(&self, from: u32, table: &Arc<Table>, n_rows: usize) -> Result<Self> {
        let hot = match self {
            Self::Cold(cold) => return Ok(Self::of_segment(cold.columns.upgraded(table))),
            Self::Hot(hot) => hot,
        };
        let record =
            hot.record.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(record, _)| record.clone());
        if let Some(record) = record {
            return Ok(Self::of_record(record, Arc::clone(table)));
        }
        let decoded = hot.get()?;
        let columns = upgrade_to(table, from, decoded.columns.clone(), n_rows)?;
        Ok(Self::new(Decoded { columns, row_ids: decoded.row_ids.clone() }))
    }

    /// The rows in the order of some columns, while that is known.
    pub(super) fn sorted_by(&self, columns: &[usize], n_rows: usize) -> Result<Option<Arc<Sorted>>> {
        let orders = match self {
            Self::Hot(hot) => &hot.orders,
            Self::Cold(cold) => &cold.orders,
        };
        orders.get(columns, || columns.iter().map(|&at| self.column(at)).collect(), n_rows)
    }

    /// A user column.
    pub(super) fn column(&self, index: usize) -> Result<ArrayRef> {
        match self {
            Self::Hot(hot) => hot
                .get()?
                .columns
                .get(index)
                .cloned()
                .ok_or_else(|| Error::internal(format!("a chunk has no column {index}"))),
            Self::Cold(cold) => cold.columns.column(index),
        }
    }

    pub(super) fn row_ids(&self) -> Result<Option<Int64Array>> {
        match self {
            Self::Hot(hot) => Ok(hot.get()?.row_ids.clone()),
            Self::Cold(cold) => cold.columns.row_ids(),
        }
    }

    /// The segment that they are in, if they are in one.
    pub(super) fn segment(&self) -> Option<&SegmentColumns> {
        match self {
            Self::Hot(_) => None,
            Self::Cold(cold) => Some(&cold.columns),
        }
    }
}

impl Lazy {
    fn get(&self) -> Result<&Decoded> {
        let decoded = self.decoded.get_or_init(|| {
            let record = self.record.lock().unwrap_or_else(PoisonError::into_inner).take();
            let (record, table) = record.ok_or_else(|| Error::internal("a chunk has neither columns nor a record"))?;
            let group = RowGroup::decode(&record, &table)?;
            Ok(Decoded { columns: group.columns, row_ids: group.row_ids })
        });
        decoded.as_ref().map_err(Error::clone)
    }
}
