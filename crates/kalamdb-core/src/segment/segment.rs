//! Cold rows: immutable runs of rows of a partition, sorted by key, one page a column. A manifest names the segments of
//! a partition.
//!
//! Pages are read when a statement needs them and kept under a byte budget. Code that lacks a page fails with an
//! error that names it ([`Error::missing_pages`](crate::error::Error)). The page is then read, and the statement runs
//! again.

use std::num::NonZeroU64;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::buffer::BooleanBuffer;
use kalamdb_store::PageKey;
use kalamdb_types::SqlType;

use crate::catalog::Table;
use crate::retry::PageRef;

/// The number of the column of sequence numbers; user columns have their ids, which count from 1.
pub(crate) const SEQ: u32 = u32::MAX;

/// The number of the column of the times of writing.
pub(crate) const UPDATED: u32 = u32::MAX - 1;

/// The number of the column of hidden row ids.
pub(crate) const ROW_ID: u32 = u32::MAX - 2;

/// The most rows of a segment.
pub(crate) const SEGMENT_ROWS: usize = 65_536;

/// The most memory that the rows of a segment take, about, unless one row alone takes more: 32 MiB.
pub(crate) const SEGMENT_BYTES: usize = 32 << 20;

/// What is known of a segment without reading its pages.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) id: u64,
    pub(crate) n_rows: usize,
    /// The version of the table's columns that the pages have.
    pub(crate) schema_version: u32,
    /// The least and the greatest sequence number; `None` if they are not known, as in what earlier versions have
    /// stored.
    pub(crate) seqs: Option<(u64, u64)>,
    pub(crate) columns: Vec<SegmentColumn>,
    /// The memory that its columns take, in bytes; `None` if it is not known.
    pub(crate) memory: Option<NonZeroU64>,
    /// The first and the last key, as rows of the key's columns in that version.
    pub(crate) key_range: Vec<ArrayRef>,
}

/// What is known of one column of a segment.
#[derive(Debug, Clone)]
pub(crate) struct SegmentColumn {
    /// Its number: the id of a user column, or one of [`SEQ`], [`UPDATED`], [`ROW_ID`].
    pub(crate) id: u32,
    /// The length of its page.
    pub(crate) n_bytes: u64,
    pub(crate) n_nulls: usize,
    /// The least and the greatest value, where the type has an order and the values are short.
    pub(crate) bounds: Option<ArrayRef>,
}

impl Segment {
    pub(crate) fn column(&self, id: u32) -> Option<&SegmentColumn> {
        self.columns.iter().find(|column| column.id == id)
    }

    pub(crate) fn page_keys(&self) -> impl Iterator<Item = PageKey> {
        self.columns.iter().map(|column| PageKey { segment: self.id, column: column.id })
    }

    pub(crate) fn n_bytes(&self) -> u64 {
        self.columns.iter().map(|column| column.n_bytes).sum()
    }

    /// The memory that its columns take, about.
    pub(crate) fn memory(&self) -> usize {
        usize::try_from(self.memory.map_or_else(|| self.n_bytes(), NonZeroU64::get)).unwrap_or(usize::MAX)
    }

    /// One of its pages; `None` if it has none of that number.
    pub(crate) fn page(&self, table: &Arc<Table>, id: u32) -> Option<PageRef> {
        self.column(id)?;
        let sql_type = match id {
            SEQ | ROW_ID => SqlType::BigInt,
            UPDATED => SqlType::Timestamp,
            id => table.columns_of(self.schema_version)?.iter().find(|column| column.id == id)?.sql_type,
        };
        Some(PageRef {
            key: PageKey { segment: self.id, column: id },
            sql_type,
            n_rows: self.n_rows,
            table_name: Arc::from(table.full_name().to_string()),
        })
    }
}

/// The rows of a segment that are superseded or deleted.
#[derive(Debug, Clone, Default)]
pub(crate) struct DeletionVector {
    /// The tombstones; `None`: none is.
    pub(crate) deleted: Option<BooleanBuffer>,
    /// The rows that no newer version supersedes; `None`: none is superseded.
    pub(crate) current: Option<BooleanBuffer>,
}
