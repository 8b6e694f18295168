//! The key index: the address of the current version of each key.

use super::chunk::{Chunk, RowAddress};
use super::layered_map::LayeredMap;
use crate::rows::Keys;

/// Where the newest row of each key is: the live one, or the one deleted last.
#[derive(Debug, Clone)]
pub(super) enum KeyIndex {
    Integers(LayeredMap<i64>),
    Bytes(LayeredMap<Box<[u8]>>),
}

impl KeyIndex {
    pub(super) fn new(integers: bool) -> Self {
        if integers { Self::Integers(LayeredMap::default()) } else { Self::Bytes(LayeredMap::default()) }
    }

    pub(super) fn get(&self, keys: &Keys, row: usize) -> Option<RowAddress> {
        match (self, keys) {
            (Self::Integers(map), Keys::Integers(keys)) => keys.get(row).and_then(|key| map.get(key)),
            (Self::Bytes(map), Keys::Bytes(rows)) if row < rows.num_rows() => map.get(rows.row(row).data()),
            _ => None,
        }
    }

    /// Points the keys of a chunk's current rows at it; returns the addresses that they pointed at before.
    pub(super) fn add_chunk(&mut self, at: usize, chunk: &Chunk, keys: &Keys) -> Vec<RowAddress> {
        self.add_rows(at, (0..keys.len()).filter(|row| chunk.is_current(*row)).collect(), keys)
    }

    fn add_rows(&mut self, at: usize, rows: Vec<usize>, keys: &Keys) -> Vec<RowAddress> {
        let rows = rows.into_iter();
        match (self, keys) {
            (Self::Integers(map), Keys::Integers(keys)) => {
                let entries: Vec<_> =
                    rows.filter_map(|row| Some((*keys.get(row)?, RowAddress::new(at, row)))).collect();
                map.insert_all(entries.into_iter())
            }
            (Self::Bytes(map), Keys::Bytes(keys)) => {
                map.insert_all(rows.map(|row| (keys.row(row).data().into(), RowAddress::new(at, row))))
            }
            // A table's keys are either all integers or all bytes.
            _ => Vec::new(),
        }
    }

    /// Takes in that the rows of a chunk have moved within it. Keys that have newer rows elsewhere keep pointing at
    /// those.
    pub(super) fn move_chunk(&mut self, at: usize, chunk: &Chunk, keys: &Keys) {
        let is_here = |row: &usize| self.get(keys, *row).is_some_and(|address| address.chunk() == at);
        let rows = (0..keys.len()).filter(|row| chunk.is_current(*row)).filter(is_here).collect();
        self.add_rows(at, rows, keys);
    }
}
