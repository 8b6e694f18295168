//! A store in memory: for databases that are never kept, and for tests.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use async_trait::async_trait;

use crate::{
    Attempt, Commit, FORMAT_VERSION, Faults, LogKey, Meta, Page, PageKey, Position, RecordKey, Store, StoreError, StoreResult, Tail, TailBuilder,
    check_base, check_commit, check_format, decode_meta, decode_page, encode_catalog, encode_log, encode_manifest, encode_meta, encode_page,
};

/// Keeps the same encoded bytes as the IndexedDB store does.
///
/// Handles made with [`MemoryStore::reopen`] share what is stored, as the tabs of a browser do.
#[derive(Debug)]
pub struct MemoryStore {
    disk: MemoryDisk,
    faults: Faults,
    closed: Cell<bool>,
}

/// What is stored, shared by all handles.
#[derive(Debug, Clone)]
pub struct MemoryDisk {
    records: Rc<RefCell<Records>>,
}

#[derive(Debug)]
struct Records {
    format: u32,
    meta: Vec<u8>,
    newest_head: u64,
    catalog: BTreeMap<String, Vec<u8>>,
    log: BTreeMap<LogKey, Vec<u8>>,
    pages: BTreeMap<PageKey, Vec<u8>>,
    manifests: BTreeMap<LogKey, Vec<u8>>,
}

impl MemoryStore {
    /// Creates an empty store.
    pub fn new() -> Self {
        Self::with_faults(Faults::default())
    }

    /// Creates an empty store that fails as `faults` says.
    pub fn with_faults(faults: Faults) -> Self {
        Self::on_disk(MemoryDisk::default(), faults)
    }

    /// Opens what `disk` holds, failing as `faults` says.
    pub fn on_disk(disk: MemoryDisk, faults: Faults) -> Self {
        Self { disk, faults, closed: Cell::new(false) }
    }

    /// Opens another handle on the same records, without faults; also after this one was closed.
    pub fn reopen(&self) -> Self {
        Self::on_disk(self.disk.clone(), Faults::default())
    }

    /// The records that this handle reads and writes.
    pub fn disk(&self) -> MemoryDisk {
        self.disk.clone()
    }

    /// Runs a transaction, unless the handle is closed; closes it if that is how the transaction fails.
    fn run<T>(&self, transaction: impl FnOnce(&mut Records, &mut Attempt) -> StoreResult<T>) -> StoreResult<T> {
        if self.closed.get() {
            return Err(StoreError::Closed);
        }
        let mut attempt = self.faults.attempt();
        let result = transaction(&mut self.disk.records.borrow_mut(), &mut attempt);
        if matches!(result, Err(StoreError::Closed)) {
            self.closed.set(true);
        }
        let value = result?;
        attempt.finish()?;
        Ok(value)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait(?Send)]
impl Store for MemoryStore {
    async fn read_since(&self, since: Option<Position>) -> StoreResult<Tail> {
        self.run(|records, attempt| {
            let meta = records.meta(attempt)?;
            let mut tail = TailBuilder::new(meta, since)?;
            attempt.request()?;
            let first = LogKey { commit: since.map_or(0, |since| since.head.saturating_add(1)), part: 0 };
            for (key, bytes) in records.log.range(first..) {
                tail.log(*key, bytes);
            }
            if tail.wants_manifests() {
                attempt.request()?;
                for (key, bytes) in records.manifests.range(first..) {
                    tail.manifest(*key, bytes);
                }
            }
            if tail.wants_catalog() {
                attempt.request()?;
                for (key, bytes) in &records.catalog {
                    tail.catalog(key, bytes);
                }
            }
            tail.finish()
        })
    }

    async fn commit(&self, commit: &Commit) -> StoreResult<()> {
        self.run(|records, attempt| {
            check_commit(commit)?;
            let log = commit.log.iter().map(|record| Ok((record.key, encode_log(record)?))).collect::<StoreResult<Vec<_>>>()?;
            let pages = commit.put_pages.iter().map(|page| Ok((page.key, encode_page(page)?))).collect::<StoreResult<Vec<_>>>()?;
            let manifests =
                commit.put_manifests.iter().map(|manifest| Ok((manifest.key, encode_manifest(manifest)?))).collect::<StoreResult<Vec<_>>>()?;
            check_base(&records.meta(attempt)?, commit.base)?;
            let changes = commit.log.len()
                + commit.drop_log.len()
                + commit.put_pages.len()
                + commit.drop_pages.len()
                + commit.put_manifests.len()
                + commit.drop_manifests.len()
                + commit.put_catalog.len()
                + commit.drop_catalog.len();
            // One more for the meta record.
            for _ in 0..=changes {
                attempt.request()?;
            }
            for key in &commit.drop_log {
                records.log.remove(key);
            }
            for key in &commit.drop_catalog {
                records.catalog.remove(key);
            }
            for key in &commit.drop_pages {
                records.pages.remove(key);
            }
            for key in &commit.drop_manifests {
                records.manifests.remove(key);
            }
            records.log.extend(log);
            records.pages.extend(pages);
            records.manifests.extend(manifests);
            records.catalog.extend(commit.put_catalog.iter().map(|record| (record.key.clone(), encode_catalog(record))));
            records.meta = encode_meta(&commit.meta);
            records.newest_head = commit.meta.head;
            Ok(())
        })
    }

    async fn read_pages(&self, keys: &[PageKey]) -> StoreResult<Vec<Option<Page>>> {
        self.run(|records, attempt| {
            let read = |key: &PageKey| {
                attempt.request()?;
                records.pages.get(key).map(|bytes| decode_page(*key, bytes)).transpose()
            };
            keys.iter().map(read).collect()
        })
    }

    async fn page_keys(&self) -> StoreResult<Vec<PageKey>> {
        self.run(|records, attempt| attempt.request().map(|()| records.pages.keys().copied().collect()))
    }

    fn newest_head_heard(&self) -> Option<u64> {
        Some(self.disk.records.borrow().newest_head).filter(|head| *head > 0)
    }

    async fn close(&self) {
        self.closed.set(true);
    }
}

impl Records {
    fn meta(&self, attempt: &mut Attempt) -> StoreResult<Meta> {
        attempt.request()?;
        check_format(self.format)?;
        attempt.request()?;
        decode_meta(&self.meta)
    }
}

impl Default for MemoryDisk {
    fn default() -> Self {
        let records = Records {
            format: FORMAT_VERSION,
            meta: encode_meta(&Meta::default()),
            newest_head: 0,
            catalog: BTreeMap::new(),
            log: BTreeMap::new(),
            pages: BTreeMap::new(),
            manifests: BTreeMap::new(),
        };
        Self { records: Rc::new(RefCell::new(records)) }
    }
}

impl MemoryDisk {
    /// Flips one bit in the middle of a record, for tests; false if there is no such record.
    pub fn corrupt(&self, key: &RecordKey) -> bool {
        let records = &mut *self.records.borrow_mut();
        let bytes = match key {
            RecordKey::Meta => Some(&mut records.meta),
            RecordKey::Log(key) => records.log.get_mut(key),
            RecordKey::Catalog(key) => records.catalog.get_mut(key),
            RecordKey::Page(key) => records.pages.get_mut(key),
            RecordKey::Manifest(key) => records.manifests.get_mut(key),
        };
        let byte = bytes.and_then(|bytes| {
            let middle = bytes.len() / 2;
            bytes.get_mut(middle)
        });
        byte.map(|byte| *byte ^= 1).is_some()
    }

    /// Claims that the records are of another version of the format, for tests.
    pub fn set_format(&self, version: u32) {
        self.records.borrow_mut().format = version;
    }
}
