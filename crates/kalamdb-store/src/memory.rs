//! A store in memory: for databases that are never kept, and for tests.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future;
use std::rc::Rc;
use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use futures::lock::Mutex;

use crate::memory_transaction::MemoryTransaction;
use crate::protocol::Prepared;
use crate::{
    Attempt, Commit, CommitRecord, Decoded, FORMAT_VERSION, Faults, LogKey, Meta, Page, PageKey, RecordKey, Store,
    StoreError, StoreResult, Tail, TailBuilder, check_format, decode_commit, decode_page,
};

/// Keeps the same encoded bytes as the IndexedDB store does, by the same [protocol](crate::protocol).
///
/// Handles made with [`MemoryStore::reopen`] share what is stored, as the tabs of a browser do.
#[derive(Debug)]
pub struct MemoryStore {
    disk: MemoryDisk,
    faults: Faults,
    steps: Rc<dyn Steps>,
    death: Rc<Cell<Option<Death>>>,
    is_quiet: Cell<bool>,
    closed: Cell<bool>,
}

/// Called before each request is carried out, so that others can have their turn there.
pub trait Steps: Debug {
    /// Resolves when the request may be carried out.
    fn step(&self) -> LocalBoxFuture<'static, ()> {
        future::ready(()).boxed_local()
    }
}

/// Every request is carried out at once.
#[derive(Debug)]
struct AtOnce;

impl Steps for AtOnce {}

/// How whoever has begun a transaction dies in the middle of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// Its code stops, and the browser does not notice: what was requested is carried out, and the transaction commits
    /// by itself.
    Trapped,
    /// Its process is gone: the browser undoes the transaction, unless it was told to commit.
    Killed,
}

/// What is stored, shared by all handles.
#[derive(Debug, Clone)]
pub struct MemoryDisk {
    pub(crate) records: Rc<RefCell<Records>>,
    /// Held by the transaction that is under way.
    turn: Arc<Mutex<()>>,
}

#[derive(Debug)]
pub(crate) struct Records {
    format: u32,
    pub(crate) next_number: u64,
    log: BTreeMap<u64, Vec<u8>>,
    catalog: BTreeMap<String, Vec<u8>>,
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
        Self::in_steps(disk, faults, Rc::new(AtOnce), Rc::default())
    }

    /// The same, carrying requests out when `steps` says. Once `death` is set, that is how transactions end whose
    /// futures are dropped.
    pub fn in_steps(disk: MemoryDisk, faults: Faults, steps: Rc<dyn Steps>, death: Rc<Cell<Option<Death>>>) -> Self {
        Self { disk, faults, steps, death, is_quiet: Cell::new(true), closed: Cell::new(false) }
    }

    /// Opens another handle on the same records, without faults; also after this one was closed.
    pub fn reopen(&self) -> Self {
        Self::on_disk(self.disk.clone(), Faults::default())
    }

    /// The records that this handle reads and writes.
    pub fn disk(&self) -> MemoryDisk {
        self.disk.clone()
    }

    /// Whether commits are made as if nobody else wrote, from now on.
    pub fn set_quiet(&self, is_quiet: bool) {
        self.is_quiet.set(is_quiet);
    }

    /// Begins a readwrite transaction, when those before it have ended.
    ///
    /// # Errors
    /// `Closed`.
    pub async fn begin(&self) -> StoreResult<MemoryTransaction> {
        let turn = self.disk.turn.lock_owned_by(&self.closed).await?;
        check_format(self.disk.records.borrow().format)?;
        Ok(MemoryTransaction::new(
            self.disk.clone(),
            turn,
            self.faults.attempt(),
            Rc::clone(&self.steps),
            Rc::clone(&self.death),
        ))
    }

    /// Runs a readonly transaction, unless the handle is closed; closes it if that is how the transaction fails.
    async fn read<T>(&self, transaction: impl FnOnce(&Records, &mut Attempt) -> StoreResult<T>) -> StoreResult<T> {
        let _turn = self.disk.turn.lock_owned_by(&self.closed).await?;
        let mut attempt = self.faults.attempt();
        let records = self.disk.records.borrow();
        let result = check_format(records.format).and_then(|()| transaction(&records, &mut attempt));
        self.close_if_that_failed(&result);
        let value = result?;
        attempt.finish()?;
        Ok(value)
    }

    fn close_if_that_failed<T>(&self, result: &StoreResult<T>) {
        if matches!(result, Err(StoreError::Closed)) {
            self.closed.set(true);
        }
    }
}

/// Waiting for one's turn on a disk, with a handle that may be closed before and meanwhile.
trait LockOwnedBy {
    async fn lock_owned_by(&self, closed: &Cell<bool>) -> StoreResult<futures::lock::OwnedMutexGuard<()>>;
}

impl LockOwnedBy for Arc<Mutex<()>> {
    async fn lock_owned_by(&self, closed: &Cell<bool>) -> StoreResult<futures::lock::OwnedMutexGuard<()>> {
        let turn = Arc::clone(self).lock_owned().await;
        if closed.get() { Err(StoreError::Closed) } else { Ok(turn) }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait(?Send)]
impl Store for MemoryStore {
    async fn read_since(&self, since: Option<&Meta>) -> StoreResult<Tail> {
        self.read(|records, attempt| {
            let mut tail = TailBuilder::new(since);
            attempt.request()?;
            let first = TailBuilder::first_key(since);
            tail.check_keys(records.log.range(first..).next_back().map(|(number, _)| *number))?;
            for (number, bytes) in
                records.log.range(first..).filter(|(number, _)| tail.wants(**number)).collect::<Vec<_>>()
            {
                tail.commit(*number, bytes);
            }
            tail.end_log();
            if tail.wants_manifests() {
                attempt.request()?;
                for (key, bytes) in records
                    .manifests
                    .range(LogKey { commit: since.map_or(0, |since| since.head.saturating_add(1)), part: 0 }..)
                {
                    tail.manifest(*key, bytes);
                }
            }
            if tail.wants_catalog() {
                attempt.request()?;
                for (key, bytes) in &records.catalog {
                    tail.catalog(key, bytes);
                }
            }
            Ok(tail.finish())
        })
        .await
    }

    async fn commit(&self, commit: &Commit) -> StoreResult<()> {
        let prepared = Prepared::new(commit)?;
        let result = match self.begin().await {
            Ok(mut transaction) => prepared.store(&mut transaction, self.is_quiet.get()).await,
            Err(error) => Err(error),
        };
        self.close_if_that_failed(&result);
        result
    }

    async fn read_commits(&self, numbers: &[u64]) -> StoreResult<Vec<Option<CommitRecord>>> {
        self.read(|records, attempt| {
            let read = |number: &u64| {
                attempt.request()?;
                Ok(records.log.get(number).and_then(|bytes| match decode_commit(*number, bytes) {
                    Ok(Decoded::Commit(record)) => Some(record),
                    Ok(Decoded::Void | Decoded::Deletion) | Err(_) => None,
                }))
            };
            numbers.iter().map(read).collect()
        })
        .await
    }

    async fn read_pages(&self, keys: &[PageKey]) -> StoreResult<Vec<Option<Page>>> {
        self.read(|records, attempt| records.pages_of(keys, attempt)?.into_iter().collect()).await
    }

    async fn read_pages_of(&self, of: LogKey, keys: &[PageKey]) -> StoreResult<Option<Vec<StoreResult<Option<Page>>>>> {
        self.read(|records, attempt| {
            attempt.request()?;
            records.manifests.contains_key(&of).then(|| records.pages_of(keys, attempt)).transpose()
        })
        .await
    }

    async fn page_keys(&self) -> StoreResult<Vec<PageKey>> {
        self.read(|records, attempt| attempt.request().map(|()| records.pages.keys().copied().collect())).await
    }

    fn newest_head_heard(&self) -> Option<u64> {
        self.disk.records.borrow().last_number().filter(|head| *head > 0)
    }

    async fn close(&self) {
        self.closed.set(true);
    }
}

impl Records {
    fn pages_of(&self, keys: &[PageKey], attempt: &mut Attempt) -> StoreResult<Vec<StoreResult<Option<Page>>>> {
        let read = |key: &PageKey| {
            attempt.request()?;
            Ok(self.pages.get(key).map(|bytes| decode_page(*key, bytes)).transpose())
        };
        keys.iter().map(read).collect()
    }

    pub(crate) fn last_number(&self) -> Option<u64> {
        self.log.last_key_value().map(|(number, _)| *number)
    }

    /// Puts a record, or removes it; gives what was there.
    pub(crate) fn set(&mut self, key: RecordKey, value: Option<Vec<u8>>) -> Option<Vec<u8>> {
        fn set<K: Ord>(map: &mut BTreeMap<K, Vec<u8>>, key: K, value: Option<Vec<u8>>) -> Option<Vec<u8>> {
            match value {
                Some(value) => map.insert(key, value),
                None => map.remove(&key),
            }
        }
        match key {
            RecordKey::Log(number) => set(&mut self.log, number, value),
            RecordKey::Catalog(key) => set(&mut self.catalog, key, value),
            RecordKey::Page(key) => set(&mut self.pages, key, value),
            RecordKey::Manifest(key) => set(&mut self.manifests, key, value),
        }
    }

    fn get_mut(&mut self, key: &RecordKey) -> Option<&mut Vec<u8>> {
        match key {
            RecordKey::Log(number) => self.log.get_mut(number),
            RecordKey::Catalog(key) => self.catalog.get_mut(key),
            RecordKey::Page(key) => self.pages.get_mut(key),
            RecordKey::Manifest(key) => self.manifests.get_mut(key),
        }
    }
}

impl Default for MemoryDisk {
    fn default() -> Self {
        let records = Records {
            format: FORMAT_VERSION,
            next_number: 1,
            log: BTreeMap::new(),
            catalog: BTreeMap::new(),
            pages: BTreeMap::new(),
            manifests: BTreeMap::new(),
        };
        Self { records: Rc::new(RefCell::new(records)), turn: Arc::default() }
    }
}

impl MemoryDisk {
    /// Flips one bit in the middle of a record, for tests; false if there is no such record.
    pub fn corrupt(&self, key: &RecordKey) -> bool {
        let mut records = self.records.borrow_mut();
        let byte = records.get_mut(key).and_then(|bytes| {
            let middle = bytes.len() / 2;
            bytes.get_mut(middle)
        });
        byte.map(|byte| *byte ^= 1).is_some()
    }

    /// Claims that the records are of another version of the format, for tests.
    pub fn set_format(&self, version: u32) {
        self.records.borrow_mut().format = version;
    }

    /// Whether a transaction is under way.
    pub fn is_busy(&self) -> bool {
        self.turn.try_lock().is_none()
    }
}
