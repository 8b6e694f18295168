use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use hashbrown::HashMap;

use super::{Chunk, Keys, RowAddress};
use crate::error::{Error, Result};

/// Where the values of some columns were last seen.
///
/// An entry may be out of date: its row may have been superseded, or have moved when chunks were merged. So a hit is
/// compared with the row itself; a value that a live row holds is never missing.
///
/// A copy shares the settled entries, as that of a [`super::KeyIndex`] does.
#[derive(Debug, Clone)]
pub(super) struct UniqueIndex {
    columns: Vec<usize>,
    settled: Arc<Addresses>,
    /// What came while the settled entries were shared; goes before them.
    recent: Addresses,
}

type Addresses = HashMap<Box<[u8]>, RowAddress>;

/// So many recent entries are worth a copy of the settled ones, if those are not more than a few times as many.
const MANY_RECENT: usize = 1024;

impl UniqueIndex {
    pub(super) fn new(columns: &[usize]) -> Self {
        Self { columns: columns.to_vec(), settled: Arc::default(), recent: HashMap::new() }
    }

    pub(super) fn is_over(&self, columns: &[usize]) -> bool {
        self.columns == columns
    }

    /// Takes in the current rows of a chunk.
    pub(super) fn add_chunk(&mut self, at: usize, chunk: &Chunk) -> Result<()> {
        let keys = Keys::of_nullable(&self.values(chunk)?)?;
        let is_worth_it = self.recent.len() > MANY_RECENT && self.recent.len() > self.settled.len() / 4;
        let settled = if is_worth_it { Some(Arc::make_mut(&mut self.settled)) } else { Arc::get_mut(&mut self.settled) };
        let addresses = match settled {
            Some(settled) => {
                settled.extend(self.recent.drain());
                settled
            }
            None => &mut self.recent,
        };
        for (row, key) in keys.into_iter().enumerate().filter(|(row, _)| chunk.is_current(*row) && !chunk.is_deleted(*row)) {
            if let Some(key) = key {
                addresses.insert(key, RowAddress::new(at, row));
            }
        }
        Ok(())
    }

    /// The live row that holds each of the values.
    pub(super) fn find(&self, chunks: &[Chunk], keys: &[Option<Box<[u8]>>]) -> Result<Vec<Option<RowAddress>>> {
        keys.iter().map(|key| key.as_ref().map_or(Ok(None), |key| self.live(chunks, key))).collect()
    }

    fn live(&self, chunks: &[Chunk], key: &[u8]) -> Result<Option<RowAddress>> {
        let Some(address) = self.recent.get(key).or_else(|| self.settled.get(key)) else { return Ok(None) };
        let Some(chunk) = chunks.get(address.chunk()) else { return Ok(None) };
        let row = address.row();
        if row >= chunk.n_rows() || !chunk.is_current(row) || chunk.is_deleted(row) {
            return Ok(None);
        }
        let values: Vec<ArrayRef> = self.values(chunk)?.iter().map(|column| column.slice(row, 1)).collect();
        let found = Keys::of_nullable(&values)?.pop().flatten();
        Ok((found.as_deref() == Some(key)).then_some(*address))
    }

    fn values(&self, chunk: &Chunk) -> Result<Vec<ArrayRef>> {
        if self.columns.is_empty() {
            return Err(Error::internal("a unique index has no columns"));
        }
        self.columns.iter().map(|&index| chunk.column(index)).collect()
    }
}
