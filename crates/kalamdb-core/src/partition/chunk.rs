use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, Int64Array, TimestampMicrosecondArray, UInt64Array,
};
use datafusion::arrow::buffer::BooleanBuffer;
use datafusion::arrow::compute::{concat, filter};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use kalamdb_store::RowState;

use super::RowGroup;
use crate::catalog::SystemColumn;
use crate::error::{Error, Result};

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
    columns: Arc<Vec<ArrayRef>>,
    row_ids: Option<Int64Array>,
    seqs: Int64Array,
    updated: TimestampMicrosecondArray,
    /// Which rows are tombstones; `None`: none is.
    deleted: Option<BooleanBuffer>,
    /// Which rows no newer version supersedes; `None`: none is superseded.
    current: Option<BooleanBuffer>,
}

impl Chunk {
    pub(crate) fn new(group: RowGroup) -> Self {
        let first_seq = i64::try_from(group.first_seq).unwrap_or(i64::MAX);
        Self {
            seqs: (0..group.n_rows as i64).map(|row| first_seq + row).collect::<Vec<_>>().into(),
            updated: vec![group.updated_us; group.n_rows].into(),
            deleted: (group.state == RowState::Deleted).then(|| BooleanBuffer::new_set(group.n_rows)),
            current: None,
            columns: Arc::new(group.columns),
            row_ids: group.row_ids,
        }
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.seqs.len()
    }

    pub(crate) fn column(&self, index: usize) -> Option<&ArrayRef> {
        self.columns.get(index)
    }

    pub(crate) fn row_ids(&self) -> Option<&Int64Array> {
        self.row_ids.as_ref()
    }

    pub(crate) fn is_deleted(&self, row: usize) -> bool {
        self.deleted.as_ref().is_some_and(|deleted| row < deleted.len() && deleted.value(row))
    }

    /// Whether no newer version supersedes the row.
    pub(crate) fn is_current(&self, row: usize) -> bool {
        self.current.as_ref().is_none_or(|current| row < current.len() && current.value(row))
    }

    pub(crate) fn system_column(&self, column: SystemColumn) -> ArrayRef {
        match column {
            SystemColumn::Seq => Arc::new(self.seqs.clone()),
            SystemColumn::Updated => Arc::new(self.updated.clone()),
            SystemColumn::Deleted => {
                let deleted = self.deleted.clone().unwrap_or_else(|| BooleanBuffer::new_unset(self.n_rows()));
                Arc::new(BooleanArray::new(deleted, None))
            }
        }
    }

    /// The address of each row, for statements that come back to the rows they have found.
    pub(crate) fn addresses(&self, chunk: usize) -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values((0..self.n_rows()).map(|row| RowAddress::new(chunk, row).0)))
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
        let mut current = BooleanBufferBuilder::new(self.n_rows());
        match &self.current {
            Some(buffer) => current.append_buffer(buffer),
            None => current.append_n(self.n_rows(), true),
        }
        for row in rows.filter(|row| *row < self.n_rows()) {
            current.set_bit(row, false);
        }
        self.current = Some(current.finish());
    }

    /// One chunk with the current rows of several, in their order.
    pub(crate) fn merge(chunks: &[Chunk]) -> Result<Chunk> {
        let n_columns = chunks.first().map_or(0, |chunk| chunk.columns.len());
        let gather = |of: &dyn Fn(&Chunk) -> Option<ArrayRef>| -> Result<Option<ArrayRef>> {
            let mut parts = Vec::with_capacity(chunks.len());
            for chunk in chunks {
                let Some(column) = of(chunk) else { return Ok(None) };
                parts.push(match &chunk.current {
                    Some(current) => filter(&column, &BooleanArray::new(current.clone(), None))?,
                    None => column,
                });
            }
            let parts: Vec<&dyn Array> = parts.iter().map(|part| part.as_ref()).collect();
            Ok(Some(owned(concat(&parts)?)))
        };
        let missing = || Error::internal("chunks of one partition have different columns");
        let columns = (0..n_columns)
            .map(|index| gather(&|chunk| chunk.columns.get(index).cloned())?.ok_or_else(missing))
            .collect::<Result<Vec<_>>>()?;
        let system = |column| gather(&|chunk: &Chunk| Some(chunk.system_column(column)))?.ok_or_else(missing);
        let deleted = if chunks.iter().any(|chunk| chunk.deleted.is_some()) {
            Some(system(SystemColumn::Deleted)?.as_boolean().values().clone())
        } else {
            None
        };
        Ok(Chunk {
            columns: Arc::new(columns),
            row_ids: gather(&|chunk| chunk.row_ids.clone().map(|ids| Arc::new(ids) as ArrayRef))?
                .map(|ids| ids.as_primitive::<Int64Type>().clone()),
            seqs: system(SystemColumn::Seq)?.as_primitive::<Int64Type>().clone(),
            updated: system(SystemColumn::Updated)?.as_primitive().clone(),
            deleted,
            current: None,
        })
    }
}

/// Text and byte views keep the buffers of all that they were concatenated from; a merged chunk holds one copy instead.
fn owned(array: ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Utf8View => Arc::new(array.as_string_view().gc()),
        DataType::BinaryView => Arc::new(array.as_binary_view().gc()),
        _ => array,
    }
}
