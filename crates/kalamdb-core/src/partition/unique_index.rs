//! Where the values of unique columns were last seen.

use datafusion::arrow::array::ArrayRef;
use kalamdb_store::RowState;

use super::chunk::{Chunk, RowAddress};
use super::layered_map::LayeredMap;
use crate::error::{Error, Result};
use crate::rows::Keys;

/// Where the values of some columns were last seen.
///
/// An entry may be out of date: its row may have been superseded, or have moved when chunks were merged. So a hit is
/// compared with the row itself; a value that a row of the state holds is never missing.
#[derive(Debug, Clone)]
pub(super) struct UniqueIndex {
    columns: Vec<usize>,
    /// Whether it is over the live rows or over the tombstones.
    state: RowState,
    addresses: LayeredMap<Box<[u8]>>,
}

impl UniqueIndex {
    pub(super) fn new(columns: &[usize], state: RowState) -> Self {
        Self { columns: columns.to_vec(), state, addresses: LayeredMap::default() }
    }

    pub(super) fn covers(&self, columns: &[usize], state: RowState) -> bool {
        self.columns == columns && self.state == state
    }

    fn holds(&self, chunk: &Chunk, row: usize) -> bool {
        chunk.is_current(row) && chunk.is_deleted(row) == (self.state == RowState::Deleted)
    }

    /// Takes in the current rows of a chunk.
    pub(super) fn add_chunk(&mut self, at: usize, chunk: &Chunk) -> Result<()> {
        let rows: Vec<usize> = (0..chunk.n_rows()).filter(|row| self.holds(chunk, *row)).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let mut keys = Keys::of_nullable(&self.values(chunk)?)?;
        let entries: Vec<_> =
            rows.into_iter().filter_map(|row| Some((keys.get_mut(row)?.take()?, RowAddress::new(at, row)))).collect();
        self.addresses.insert_all(entries.into_iter());
        Ok(())
    }

    /// The row of the state that holds each of the values.
    pub(super) fn find(&self, chunks: &[Chunk], keys: &[Option<Box<[u8]>>]) -> Result<Vec<Option<RowAddress>>> {
        keys.iter().map(|key| key.as_ref().map_or(Ok(None), |key| self.holder(chunks, key))).collect()
    }

    fn holder(&self, chunks: &[Chunk], key: &[u8]) -> Result<Option<RowAddress>> {
        let Some(address) = self.addresses.get(key) else { return Ok(None) };
        let Some(chunk) = chunks.get(address.chunk()) else { return Ok(None) };
        let row = address.row();
        if row >= chunk.n_rows() || !self.holds(chunk, row) {
            return Ok(None);
        }
        let values: Vec<ArrayRef> = self.values(chunk)?.iter().map(|column| column.slice(row, 1)).collect();
        let found = Keys::of_nullable(&values)?.pop().flatten();
        Ok((found.as_deref() == Some(key)).then_some(address))
    }

    fn values(&self, chunk: &Chunk) -> Result<Vec<ArrayRef>> {
        if self.columns.is_empty() {
            return Err(Error::internal("a unique index has no columns"));
        }
        self.columns.iter().map(|&index| chunk.column(index)).collect()
    }
}
