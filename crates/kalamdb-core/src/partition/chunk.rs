//! A run of rows that never changes, but for which of them are superseded.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, Int64Array, TimestampMicrosecondArray, UInt64Array,
};
use datafusion::arrow::buffer::BooleanBuffer;
use datafusion::arrow::compute::{cast, concat, filter, max};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use kalamdb_store::{LogRecord, RowState};

use super::columns::{Columns, Decoded};
use super::index_order::Sorted;
use super::row_group::RowGroup;
use crate::catalog::{SystemColumn, Table};
use crate::error::{Error, Result};
use crate::rows::{Keys, compact_views, memory_of};
use crate::segment::{DeletionVector, SEQ, SegmentColumns, UPDATED};

/// Where a row is: a chunk and a row in it. Valid for one snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RowAddress(pub(crate) u64);

impl RowAddress {
    pub(crate) fn new(chunk: usize, row: usize) -> Self {
        Self(((chunk as u64) << 32) | row as u64)
    }

    pub(crate) fn chunk(self) -> usize {
        (self.0 >> 32) as usize
    }

    pub(crate) fn row(self) -> usize {
        (self.0 & 0xffff_ffff) as usize
    }
}

/// Row versions as columns. The columns never change; which of the rows are current does.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    n_rows: usize,
    /// The number after that of the last row that the rows came with in the log, superseded ones included; 0 for a
    /// segment.
    end_seq: u64,
    /// The memory that the columns take, or will take when they are at hand, about.
    n_bytes: usize,
    columns: Columns,
    versions: Versions,
    /// Which rows are tombstones; `None`: none is.
    deleted: Option<BooleanBuffer>,
    /// Which rows no newer version supersedes; `None`: none is superseded.
    current: Option<BooleanBuffer>,
}

/// The numbers and times of row versions.
#[derive(Debug, Clone)]
enum Versions {
    /// The rows of one commit: numbered from the first on, all of one time.
    Run { first_seq: u64, updated_us: i64 },
    /// The rows of several commits.
    Each { seqs: Int64Array, updated: TimestampMicrosecondArray },
    /// Pages of a segment.
    Stored,
}

impl Chunk {
    /// The keys of every row, superseded ones included.
    pub(crate) fn keys(&self, table: &Table) -> Result<Keys> {
        if let Some(row_ids) = self.row_ids()? {
            return Ok(Keys::Integers(row_ids.values().to_vec()));
        }
        Keys::of_columns(table, |index| self.column(index))
    }

    /// The rows of a group.
    pub(crate) fn new(group: RowGroup) -> Self {
        let versions = Versions::Run { first_seq: group.first_seq, updated_us: group.updated_us };
        let n_bytes = group.columns.iter().map(memory_of).sum();
        let columns = Columns::new(Decoded { columns: group.columns, row_ids: group.row_ids });
        let end_seq = group.first_seq + group.n_rows as u64;
        Self {
            n_rows: group.n_rows,
            end_seq,
            n_bytes,
            columns,
            versions,
            deleted: tombstones(group.state, group.n_rows),
            current: None,
        }
    }

    /// The rows of a log record, which is decoded when a column is first asked for.
    pub(crate) fn from_record(record: LogRecord, table: &Arc<Table>) -> Self {
        let n_rows = record.n_rows as usize;
        let versions = Versions::Run { first_seq: record.first_seq, updated_us: record.updated_us };
        let (deleted, n_bytes, end_seq) =
            (tombstones(record.state, n_rows), record.rows.len(), record.first_seq + n_rows as u64);
        Self {
            n_rows,
            end_seq,
            n_bytes,
            columns: Columns::of_record(record, Arc::clone(table)),
            versions,
            deleted,
            current: None,
        }
    }

    /// The rows of a segment, whose pages are read when they are needed.
    pub(crate) fn of_segment(columns: SegmentColumns, marks: DeletionVector) -> Self {
        let (n_rows, n_bytes) = (columns.segment.n_rows, columns.segment.memory());
        let DeletionVector { deleted, current } = marks;
        Self {
            n_rows,
            end_seq: 0,
            n_bytes,
            columns: Columns::of_segment(columns),
            versions: Versions::Stored,
            deleted,
            current,
        }
    }

    /// The same rows with the current version of the table's columns, where the chunk has version `from` of them.
    pub(crate) fn upgraded(&self, from: u32, table: &Arc<Table>) -> Result<Chunk> {
        Ok(Self { columns: self.columns.upgraded(from, table, self.n_rows)?, ..self.clone() })
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// A user column.
    ///
    /// # Errors
    /// `data_corrupted` if the log record behind it does not decode; missing pages.
    pub(crate) fn column(&self, index: usize) -> Result<ArrayRef> {
        self.columns.column(index)
    }

    /// The maximum of an integer column, in superseded and deleted rows too; 0 if none is greater.
    pub(crate) fn max_value(&self, index: usize) -> Result<i64> {
        let values = cast(&self.column(index)?, &DataType::Int64)?;
        Ok(max(values.as_primitive::<Int64Type>()).unwrap_or_default().max(0))
    }

    /// The rows, superseded ones included, in the order of some user columns; `None` while they are not sorted.
    pub(crate) fn sorted_by(&self, columns: &[usize]) -> Result<Option<Arc<Sorted>>> {
        self.columns.sorted_by(columns, self.n_rows)
    }

    pub(crate) fn row_ids(&self) -> Result<Option<Int64Array>> {
        self.columns.row_ids()
    }

    /// The segment that holds the rows; `None` if they are in the log.
    pub(crate) fn segment(&self) -> Option<&SegmentColumns> {
        self.columns.segment()
    }

    /// The number after that of the last row that the rows came with in the log; 0 for a segment.
    pub(crate) fn end_seq(&self) -> u64 {
        self.end_seq
    }

    /// The memory that the columns take, about.
    pub(crate) fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    /// Which rows count, as a manifest keeps it.
    pub(crate) fn marks(&self) -> DeletionVector {
        DeletionVector { deleted: self.deleted.clone(), current: self.current.clone() }
    }

    pub(crate) fn is_deleted(&self, row: usize) -> bool {
        self.deleted.as_ref().is_some_and(|deleted| row < deleted.len() && deleted.value(row))
    }

    /// Whether tombstones may be among the rows.
    pub(crate) fn has_tombstones(&self) -> bool {
        self.deleted.is_some()
    }

    /// Whether no newer version supersedes the row.
    pub(crate) fn is_current(&self, row: usize) -> bool {
        self.current.as_ref().is_none_or(|current| row < current.len() && current.value(row))
    }

    /// How many rows no newer version supersedes.
    pub(crate) fn n_current(&self) -> usize {
        self.current.as_ref().map_or(self.n_rows, BooleanBuffer::count_set_bits)
    }

    /// How many rows queries see: current ones that are not deleted.
    pub(crate) fn n_live(&self) -> usize {
        self.visible(false).map_or(self.n_rows, |mask| mask.count_set_bits())
    }

    /// When a row was written, in microseconds since the epoch.
    /// `None` for rows in segments, which no events are.
    pub(crate) fn updated_us(&self, row: usize) -> Option<i64> {
        match &self.versions {
            Versions::Run { updated_us, .. } => Some(*updated_us),
            Versions::Each { updated, .. } => updated.values().get(row).copied(),
            Versions::Stored => None,
        }
    }

    /// When the newest row was written. Clocks are set back, so that it need not be the last.
    /// `None` for rows in segments.
    pub(crate) fn newest_us(&self) -> Option<i64> {
        match &self.versions {
            Versions::Run { updated_us, .. } => Some(*updated_us),
            Versions::Each { updated, .. } => updated.values().iter().copied().max(),
            Versions::Stored => None,
        }
    }

    /// # Errors
    /// As [`Chunk::column`].
    pub(crate) fn system_column(&self, column: SystemColumn) -> Result<ArrayRef> {
        let stored = |id| self.segment().ok_or_else(|| Error::internal("a chunk has no segment"))?.system(id);
        Ok(match (column, &self.versions) {
            (SystemColumn::Seq, Versions::Run { first_seq, .. }) => {
                let first = first_seq.cast_signed();
                Arc::new(Int64Array::from_iter_values(first..first + self.n_rows as i64))
            }
            (SystemColumn::Seq, Versions::Each { seqs, .. }) => Arc::new(seqs.clone()),
            (SystemColumn::Seq, Versions::Stored) => stored(SEQ)?,
            (SystemColumn::Updated, Versions::Run { updated_us, .. }) => {
                Arc::new(TimestampMicrosecondArray::from_value(*updated_us, self.n_rows))
            }
            (SystemColumn::Updated, Versions::Each { updated, .. }) => Arc::new(updated.clone()),
            (SystemColumn::Updated, Versions::Stored) => stored(UPDATED)?,
            (SystemColumn::Deleted, _) => {
                let deleted = self.deleted.clone().unwrap_or_else(|| BooleanBuffer::new_unset(self.n_rows));
                Arc::new(BooleanArray::new(deleted, None))
            }
        })
    }

    /// The address of each row, for statements that come back to the rows they have found.
    pub(crate) fn addresses(&self, chunk: usize) -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values((0..self.n_rows).map(|row| RowAddress::new(chunk, row).0)))
    }

    /// Which rows a scan returns: the current ones, tombstones among them only if asked for. `None`: all.
    pub(crate) fn visible(&self, with_deleted: bool) -> Option<BooleanBuffer> {
        match (&self.current, &self.deleted) {
            (None, None) => None,
            (Some(current), None) => Some(current.clone()),
            (current, Some(_)) if with_deleted => current.clone(),
            (None, Some(deleted)) => Some(!deleted),
            (Some(current), Some(deleted)) => Some(current & &!deleted),
        }
    }

    pub(crate) fn mask(&mut self, rows: impl Iterator<Item = usize>) {
        let mut current = BooleanBufferBuilder::new(self.n_rows);
        match &self.current {
            Some(buffer) => current.append_buffer(buffer),
            None => current.append_n(self.n_rows, true),
        }
        for row in rows.filter(|row| *row < self.n_rows) {
            current.set_bit(row, false);
        }
        self.current = Some(current.finish());
    }

    /// The rows numbered from `first_seq` on, superseded ones left out; `None` if there are none.
    pub(crate) fn since_seq(&self, table: &Table, first_seq: u64) -> Result<Option<Chunk>> {
        let first = first_seq.cast_signed();
        let seqs = self.system_column(SystemColumn::Seq)?;
        let later = BooleanBuffer::from_iter(seqs.as_primitive::<Int64Type>().values().iter().map(|seq| *seq >= first));
        if later.count_set_bits() == 0 {
            return Ok(None);
        }
        let current = match &self.current {
            Some(current) => current & &later,
            None => later,
        };
        let later = Self { current: Some(current), ..self.clone() };
        Ok(Some(Self::merge(table, &[later])?))
    }

    /// The number of the first row; `None` for a segment, and if there are no rows.
    pub(crate) fn first_seq(&self) -> Option<u64> {
        match &self.versions {
            Versions::Run { first_seq, .. } => Some(*first_seq),
            Versions::Each { seqs, .. } => seqs.values().first().map(|seq| seq.cast_unsigned()),
            Versions::Stored => None,
        }
    }

    /// One chunk with the current rows of several, in their order.
    pub(crate) fn merge(table: &Table, chunks: &[Chunk]) -> Result<Chunk> {
        let gather = |of: &dyn Fn(&Chunk) -> Result<ArrayRef>| -> Result<ArrayRef> {
            let mut parts = Vec::with_capacity(chunks.len());
            for chunk in chunks {
                let column = of(chunk)?;
                parts.push(match &chunk.current {
                    Some(current) => filter(&column, &BooleanArray::new(current.clone(), None))?,
                    None => column,
                });
            }
            let parts: Vec<&dyn Array> = parts.iter().map(|part| part.as_ref()).collect();
            Ok(compact_views(concat(&parts)?))
        };
        let columns =
            (0..table.columns.len()).map(|index| gather(&|chunk| chunk.column(index))).collect::<Result<Vec<_>>>()?;
        let row_ids = if table.has_primary_key() {
            None
        } else {
            let missing = || Error::internal("a chunk has no row ids");
            let ids = gather(&|chunk| Ok(Arc::new(chunk.row_ids()?.ok_or_else(missing)?)))?;
            Some(ids.as_primitive::<Int64Type>().clone())
        };
        let system = |column| gather(&|chunk: &Chunk| chunk.system_column(column));
        let deleted = if chunks.iter().any(|chunk| chunk.deleted.is_some()) {
            Some(system(SystemColumn::Deleted)?.as_boolean().values().clone())
        } else {
            None
        };
        Ok(Chunk {
            n_rows: chunks.iter().map(Chunk::n_current).sum(),
            end_seq: chunks.iter().map(Chunk::end_seq).max().unwrap_or_default(),
            n_bytes: columns.iter().map(memory_of).sum(),
            columns: Columns::new(Decoded { columns, row_ids }),
            versions: Versions::Each {
                seqs: system(SystemColumn::Seq)?.as_primitive::<Int64Type>().clone(),
                updated: system(SystemColumn::Updated)?.as_primitive().clone(),
            },
            deleted,
            current: None,
        })
    }
}

fn tombstones(state: RowState, n_rows: usize) -> Option<BooleanBuffer> {
    (state == RowState::Deleted).then(|| BooleanBuffer::new_set(n_rows))
}
