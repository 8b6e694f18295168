//! The cache of pages, and of keys and hashes made of them, under a byte budget.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::arrow::array::{Array, ArrayRef};
use kalamdb_store::PageKey;

use super::hashes::Hashes;
use crate::rows::Keys;

/// The cache of pages, and of keys and hashes made of them, under a byte budget that it shares with running queries.
///
/// The least recently used entry is evicted first. All unpinned entries are evicted before a query is refused memory.
/// Pinned pages stay, whatever the budget: a statement pins the pages that it needs, so that two large statements
/// cannot evict each other's pages for ever.
#[derive(Debug)]
pub(crate) struct PageCache {
    inner: Mutex<Inner>,
    budget: usize,
}

/// The key of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum EntryKey {
    Page(PageKey),
    /// The keys of a segment, in one version of the table's columns.
    Keys(u64, u32),
    /// The hashes of some columns of a segment, in one version of the table's columns.
    Hashes(u64, u32, Vec<usize>),
}

#[derive(Debug, Clone)]
enum Value {
    Page(ArrayRef),
    Keys(Arc<Keys>),
    Hashes(Arc<Hashes>),
}

#[derive(Debug, Default)]
pub(crate) struct Inner {
    entries: HashMap<EntryKey, Entry>,
    n_bytes: usize,
    /// The memory reserved by queries, in bytes.
    reserved: usize,
    /// The clock of uses: it orders entries by their last use.
    now: u64,
}

#[derive(Debug)]
struct Entry {
    value: Value,
    n_bytes: usize,
    used: u64,
    n_pins: usize,
}

impl PageCache {
    pub(crate) fn new(budget: usize) -> Arc<Self> {
        Arc::new(Self { inner: Mutex::default(), budget })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much memory the entries take, in bytes.
    pub(crate) fn n_bytes(&self) -> usize {
        self.lock().n_bytes
    }

    /// How much memory entries and queries may take together, in bytes.
    pub(crate) fn budget(&self) -> usize {
        self.budget
    }

    /// The memory reserved by queries, in bytes.
    pub(crate) fn reserved(&self) -> usize {
        self.lock().reserved
    }

    /// Reserves memory for a query, even beyond the budget.
    pub(crate) fn reserve(&self, n_bytes: usize) {
        let mut inner = self.lock();
        inner.reserved = inner.reserved.saturating_add(n_bytes);
        inner.make_room(self.budget);
    }

    /// Reserves memory for a query within the budget; the error is the number of bytes available.
    pub(crate) fn try_reserve(&self, n_bytes: usize) -> std::result::Result<(), usize> {
        let mut inner = self.lock();
        let before = inner.reserved;
        inner.reserved = before.saturating_add(n_bytes);
        inner.make_room(self.budget);
        if inner.taken() <= self.budget {
            return Ok(());
        }
        inner.reserved = before;
        Err(self.budget.saturating_sub(inner.taken()))
    }

    /// Releases memory of a query.
    pub(crate) fn release(&self, n_bytes: usize) {
        let mut inner = self.lock();
        inner.reserved = inner.reserved.saturating_sub(n_bytes);
    }

    pub(crate) fn page(&self, key: PageKey) -> Option<ArrayRef> {
        match self.lock().get(&EntryKey::Page(key))? {
            Value::Page(page) => Some(page),
            Value::Keys(_) | Value::Hashes(_) => None,
        }
    }

    /// Whether a page is there, without counting as a use of it.
    pub(crate) fn has_page(&self, key: PageKey) -> bool {
        self.lock().entries.contains_key(&EntryKey::Page(key))
    }

    pub(crate) fn add_page(&self, key: PageKey, page: ArrayRef) {
        let n_bytes = page.get_array_memory_size();
        self.lock().insert(EntryKey::Page(key), Value::Page(page), n_bytes, 0, self.budget);
    }

    /// The keys of a segment, made by `make` if they are not there.
    pub(super) fn keys(
        &self,
        segment: u64,
        version: u32,
        make: impl FnOnce() -> crate::error::Result<Keys>,
    ) -> crate::error::Result<Arc<Keys>> {
        let key = EntryKey::Keys(segment, version);
        if let Some(Value::Keys(keys)) = self.lock().get(&key) {
            return Ok(keys);
        }
        let keys = Arc::new(make()?);
        self.lock().insert(key, Value::Keys(Arc::clone(&keys)), keys.n_bytes(), 0, self.budget);
        Ok(keys)
    }

    /// The hashes of some columns of a segment, made by `make` if they are not there.
    pub(super) fn hashes(
        &self,
        segment: u64,
        version: u32,
        columns: &[usize],
        make: impl FnOnce() -> crate::error::Result<Hashes>,
    ) -> crate::error::Result<Arc<Hashes>> {
        let key = EntryKey::Hashes(segment, version, columns.to_vec());
        if let Some(Value::Hashes(hashes)) = self.lock().get(&key) {
            return Ok(hashes);
        }
        let hashes = Arc::new(make()?);
        self.lock().insert(key, Value::Hashes(Arc::clone(&hashes)), hashes.n_bytes(), 0, self.budget);
        Ok(hashes)
    }

    /// Keeps pages in memory until the pins are dropped. Pages that are not cached are left out.
    pub(crate) fn pin(self: &Arc<Self>, keys: impl IntoIterator<Item = PageKey>) -> Pins {
        let mut inner = self.lock();
        let mut pinned = Vec::new();
        for key in keys {
            if let Some(entry) = inner.entries.get_mut(&EntryKey::Page(key)) {
                entry.n_pins += 1;
                pinned.push(key);
            }
        }
        Pins { cache: Arc::clone(self), keys: pinned }
    }

    /// Removes all entries of a segment that no longer exists.
    pub(crate) fn forget(&self, segment: u64) {
        let mut inner = self.lock();
        let about = |key: &EntryKey| match key {
            EntryKey::Page(page) => page.segment,
            EntryKey::Keys(segment, _) | EntryKey::Hashes(segment, ..) => *segment,
        };
        let gone: Vec<EntryKey> = inner
            .entries
            .iter()
            .filter(|(key, entry)| about(key) == segment && entry.n_pins == 0)
            .map(|(key, _)| key.clone())
            .collect();
        for key in gone {
            inner.remove(&key);
        }
    }

    /// Removes all entries.
    pub(crate) fn clear(&self) {
        let mut inner = self.lock();
        *inner = Inner { reserved: inner.reserved, ..Inner::default() };
    }
}

impl Inner {
    fn get(&mut self, key: &EntryKey) -> Option<Value> {
        self.now += 1;
        let entry = self.entries.get_mut(key)?;
        entry.used = self.now;
        Some(entry.value.clone())
    }

    fn insert(&mut self, key: EntryKey, value: Value, n_bytes: usize, n_pins: usize, budget: usize) {
        self.now += 1;
        let n_pins = n_pins + self.remove(&key).map_or(0, |old| old.n_pins);
        self.n_bytes += n_bytes;
        self.entries.insert(key, Entry { value, n_bytes, used: self.now, n_pins });
        if self.taken() > budget {
            self.evict(budget);
        }
    }

    fn remove(&mut self, key: &EntryKey) -> Option<Entry> {
        let entry = self.entries.remove(key)?;
        self.n_bytes -= entry.n_bytes;
        Some(entry)
    }

    /// How much memory is in use, in bytes.
    fn taken(&self) -> usize {
        self.n_bytes.saturating_add(self.reserved)
    }

    /// Evicts entries until the budget holds, the newest one included.
    fn make_room(&mut self, budget: usize) {
        if self.taken() > budget {
            self.now += 1;
            self.evict(budget);
        }
    }

    /// Evicts entries until the budget holds, except the newest one.
    fn evict(&mut self, budget: usize) {
        let mut candidates: Vec<(u64, EntryKey)> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.n_pins == 0 && entry.used < self.now)
            .map(|(key, entry)| (entry.used, key.clone()))
            .collect();
        candidates.sort_unstable_by_key(|(used, _)| *used);
        // A bit more than needed, so that not every page that comes goes through all of them.
        let target = budget - budget / 8;
        for (_, key) in candidates {
            if self.taken() <= target {
                break;
            }
            self.remove(&key);
        }
    }
}

/// Pages that stay in memory while this lives.
#[derive(Debug)]
pub(crate) struct Pins {
    cache: Arc<PageCache>,
    keys: Vec<PageKey>,
}

impl Pins {
    pub(super) fn has(&self, key: PageKey) -> bool {
        self.keys.contains(&key)
    }

    /// Adds a page that has been read.
    pub(super) fn add(&mut self, key: PageKey, page: ArrayRef) {
        let n_bytes = page.get_array_memory_size();
        self.cache.lock().insert(EntryKey::Page(key), Value::Page(page), n_bytes, 1, self.cache.budget);
        self.keys.push(key);
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        let mut inner = self.cache.lock();
        for key in &self.keys {
            if let Some(entry) = inner.entries.get_mut(&EntryKey::Page(*key)) {
                entry.n_pins = entry.n_pins.saturating_sub(1);
            }
        }
        inner.make_room(self.cache.budget);
    }
}
