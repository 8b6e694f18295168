//! Where the current version of each key is.

use std::sync::Arc;

use hashbrown::HashMap;

use super::chunk::{Chunk, RowAddress};
use crate::rows::Keys;

/// Where the newest row of each key is: the live one, or the one deleted last.
///
/// A copy shares the settled entries: it and the original take in what is new apart, so that neither copies the whole.
#[derive(Debug, Clone)]
pub(super) struct KeyIndex {
    settled: Arc<Addresses>,
    /// What came while the settled entries were shared; goes before them.
    recent: Addresses,
}

#[derive(Debug, Clone)]
enum Addresses {
    Integers(HashMap<i64, RowAddress>),
    Bytes(HashMap<Box<[u8]>, RowAddress>),
}

/// So many recent entries are worth a copy of the settled ones, if those are not more than a few times as many.
const MANY_RECENT: usize = 1024;

impl KeyIndex {
    pub(super) fn new(integers: bool) -> Self {
        Self { settled: Arc::new(Addresses::new(integers)), recent: Addresses::new(integers) }
    }

    pub(super) fn get(&self, keys: &Keys, row: usize) -> Option<RowAddress> {
        self.recent.get(keys, row).or_else(|| self.settled.get(keys, row))
    }

    /// Points the keys of a chunk's current rows at it; returns the addresses that they pointed at before.
    pub(super) fn add_chunk(&mut self, at: usize, chunk: &Chunk, keys: &Keys) -> Vec<RowAddress> {
        self.add_rows(at, (0..keys.len()).filter(|row| chunk.is_current(*row)).collect(), keys)
    }

    fn add_rows(&mut self, at: usize, rows: Vec<usize>, keys: &Keys) -> Vec<RowAddress> {
        let is_worth_it = self.recent.len() > MANY_RECENT && self.recent.len() > self.settled.len() / 4;
        let settled =
            if is_worth_it { Some(Arc::make_mut(&mut self.settled)) } else { Arc::get_mut(&mut self.settled) };
        match settled {
            Some(settled) => {
                settled.take_in(&mut self.recent);
                settled.add_rows(at, rows, keys, |_, _| None)
            }
            None => self.recent.add_rows(at, rows, keys, |keys, row| self.settled.get(keys, row)),
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

impl Addresses {
    fn new(integers: bool) -> Self {
        if integers { Self::Integers(HashMap::new()) } else { Self::Bytes(HashMap::new()) }
    }

    fn len(&self) -> usize {
        match self {
            Self::Integers(map) => map.len(),
            Self::Bytes(map) => map.len(),
        }
    }

    fn get(&self, keys: &Keys, row: usize) -> Option<RowAddress> {
        match (self, keys) {
            (Self::Integers(map), Keys::Integers(keys)) => keys.get(row).and_then(|key| map.get(key)).copied(),
            (Self::Bytes(map), Keys::Bytes(rows)) if row < rows.num_rows() => map.get(rows.row(row).data()).copied(),
            _ => None,
        }
    }

    /// Moves the entries of `other` here.
    fn take_in(&mut self, other: &mut Self) {
        match (self, other) {
            (Self::Integers(map), Self::Integers(other)) => map.extend(other.drain()),
            (Self::Bytes(map), Self::Bytes(other)) => map.extend(other.drain()),
            // A table's keys are either all integers or all bytes.
            _ => {}
        }
    }

    /// Points keys at the rows of a chunk; returns what they pointed at before, here or `elsewhere`.
    fn add_rows(
        &mut self,
        at: usize,
        rows: Vec<usize>,
        keys: &Keys,
        elsewhere: impl Fn(&Keys, usize) -> Option<RowAddress>,
    ) -> Vec<RowAddress> {
        let mut superseded = Vec::new();
        match (self, keys) {
            (Self::Integers(map), Keys::Integers(integers)) => {
                map.reserve(rows.len());
                for row in rows {
                    if let Some(key) = integers.get(row) {
                        superseded.extend(map.insert(*key, RowAddress::new(at, row)).or_else(|| elsewhere(keys, row)));
                    }
                }
            }
            (Self::Bytes(map), Keys::Bytes(bytes)) => {
                map.reserve(rows.len());
                for row in rows {
                    let before = map.insert(bytes.row(row).data().into(), RowAddress::new(at, row));
                    superseded.extend(before.or_else(|| elsewhere(keys, row)));
                }
            }
            _ => {}
        }
        superseded
    }
}
