//! Addresses of rows by their keys, in two layers, so that copies share most of them.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::Arc;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::chunk::RowAddress;

/// Recent entries from which a copy of the settled ones pays, unless those are more than a few times as many.
const MANY_RECENT: usize = 1024;

/// Where the row of each key is.
///
/// A copy shares the settled entries: it and the original take in what is new apart, so that neither copies the whole.
#[derive(Debug, Clone)]
pub(super) struct LayeredMap<K> {
    settled: Arc<HashMap<K, RowAddress>>,
    /// What came while the settled entries were shared; goes before them.
    recent: HashMap<K, RowAddress>,
}

impl<K> Default for LayeredMap<K> {
    fn default() -> Self {
        Self { settled: Arc::default(), recent: HashMap::new() }
    }
}

impl<K: Clone + Eq + Hash> LayeredMap<K> {
    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<RowAddress>
    where
        K: Borrow<Q>,
    {
        self.recent.get(key).or_else(|| self.settled.get(key)).copied()
    }

    /// Points keys at rows; gives the addresses that they pointed at before.
    pub(super) fn insert_all(&mut self, entries: impl ExactSizeIterator<Item = (K, RowAddress)>) -> Vec<RowAddress> {
        let is_copy_worth_it = self.recent.len() > MANY_RECENT && self.recent.len() > self.settled.len() / 4;
        let settled =
            if is_copy_worth_it { Some(Arc::make_mut(&mut self.settled)) } else { Arc::get_mut(&mut self.settled) };
        let Some(settled) = settled else {
            self.recent.reserve(entries.len());
            let replaced = entries.filter_map(|(key, address)| match self.recent.entry(key) {
                Entry::Occupied(mut entry) => Some(entry.insert(address)),
                Entry::Vacant(entry) => {
                    let before = self.settled.get(entry.key()).copied();
                    entry.insert(address);
                    before
                }
            });
            return replaced.collect();
        };
        settled.extend(self.recent.drain());
        settled.reserve(entries.len());
        entries.filter_map(|(key, address)| settled.insert(key, address)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{LayeredMap, MANY_RECENT};
    use crate::partition::chunk::RowAddress;

    fn entries(keys: std::ops::Range<usize>, chunk: usize) -> impl ExactSizeIterator<Item = (usize, RowAddress)> {
        keys.map(move |key| (key, RowAddress::new(chunk, key)))
    }

    #[test]
    fn a_copy_and_its_original_take_in_what_is_new_apart() {
        let mut original = LayeredMap::default();
        assert_eq!(original.insert_all(entries(0..4, 0)), []);
        let mut copy = original.clone();
        assert_eq!(copy.insert_all(entries(3..5, 1)), [RowAddress::new(0, 3)]);
        assert_eq!(copy.insert_all(entries(3..4, 2)), [RowAddress::new(1, 3)]);
        let seen = |map: &LayeredMap<usize>| [2, 3, 4].map(|key| map.get(&key));
        assert_eq!(seen(&original), [Some(RowAddress::new(0, 2)), Some(RowAddress::new(0, 3)), None]);
        assert_eq!(
            seen(&copy),
            [Some(RowAddress::new(0, 2)), Some(RowAddress::new(2, 3)), Some(RowAddress::new(1, 4))]
        );
    }

    #[test]
    fn many_recent_entries_settle_and_stay() {
        let mut original = LayeredMap::default();
        original.insert_all(entries(0..10, 0));
        let mut copy = original.clone();
        copy.insert_all(entries(5..MANY_RECENT + 10, 1));
        assert_eq!(copy.insert_all(entries(9..11, 2)), [RowAddress::new(1, 9), RowAddress::new(1, 10)]);
        assert_eq!(copy.get(&4), Some(RowAddress::new(0, 4)));
        assert_eq!(copy.get(&(MANY_RECENT + 9)), Some(RowAddress::new(1, MANY_RECENT + 9)));
        assert_eq!(original.get(&9), Some(RowAddress::new(0, 9)));
    }
}
