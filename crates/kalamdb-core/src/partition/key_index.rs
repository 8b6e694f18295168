use hashbrown::HashMap;

use super::{Chunk, Keys, RowAddress};

/// Where the current version of each key is, tombstones included.
#[derive(Debug, Clone)]
pub(super) enum KeyIndex {
    Integers(HashMap<i64, RowAddress>),
    Bytes(HashMap<Box<[u8]>, RowAddress>),
}

impl KeyIndex {
    pub(super) fn new(integers: bool) -> Self {
        if integers { Self::Integers(HashMap::new()) } else { Self::Bytes(HashMap::new()) }
    }

    pub(super) fn get(&self, keys: &Keys, row: usize) -> Option<RowAddress> {
        match (self, keys) {
            (KeyIndex::Integers(map), Keys::Integers(keys)) => keys.get(row).and_then(|key| map.get(key)).copied(),
            (KeyIndex::Bytes(map), Keys::Bytes(rows)) if row < rows.num_rows() => map.get(rows.row(row).data()).copied(),
            _ => None,
        }
    }

    /// Points the keys of a chunk's current rows at it; returns the addresses that they pointed at before.
    pub(super) fn add_chunk(&mut self, at: usize, chunk: &Chunk, keys: &Keys) -> Vec<RowAddress> {
        let mut superseded = Vec::new();
        let rows = (0..keys.len()).filter(|row| chunk.is_current(*row));
        match (self, keys) {
            (KeyIndex::Integers(map), Keys::Integers(keys)) => {
                map.reserve(keys.len());
                for row in rows {
                    if let Some(key) = keys.get(row) {
                        superseded.extend(map.insert(*key, RowAddress::new(at, row)));
                    }
                }
            }
            (KeyIndex::Bytes(map), Keys::Bytes(bytes)) => {
                map.reserve(bytes.num_rows());
                for row in rows {
                    superseded.extend(map.insert(bytes.row(row).data().into(), RowAddress::new(at, row)));
                }
            }
            // A table's keys are either all integers or all bytes.
            _ => {}
        }
        superseded
    }
}
