//! A store that lets others run before and after every call, and that fails.

use std::cell::Cell;
use std::rc::Rc;

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use kalamdb_store::protocol::WriteTransaction;
use kalamdb_store::{
    Commit, CommitRecord, Fault, Faults, LogKey, MemoryStore, Meta, Page, PageKey, RecordKey, Steps, Store, StoreError,
    StoreResult, Tail, encode_catalog, encode_commit, encode_manifest, encode_page,
};

use super::world::{World, pause};

const WHEN_READING: [Fault; 2] = [Fault::Abort, Fault::Close];
const WHEN_WRITING: [Fault; 5] = [
    Fault::QuotaExceeded,
    Fault::Abort,
    Fault::Close,
    Fault::Indeterminate { stored: true },
    Fault::Indeterminate { stored: false },
];

/// How commits are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// As they are.
    Numbered,
    /// As they were before version 4: everything is requested at once, and undone by whoever asked if the head turns
    /// out to have moved. Who dies in between undoes nothing.
    UndoneByCallback,
}

/// One tab's connection to the disk.
pub(crate) struct TabStore {
    world: Rc<World>,
    tab: usize,
    is_closed: Cell<bool>,
}

/// Requests are carried out one by one, and others may go on between any two.
#[derive(Debug)]
struct OneByOne;

impl Steps for OneByOne {
    fn step(&self) -> LocalBoxFuture<'static, ()> {
        pause().boxed_local()
    }
}

impl TabStore {
    pub(crate) fn new(world: &Rc<World>, tab: usize) -> Self {
        Self { world: Rc::clone(world), tab, is_closed: Cell::new(false) }
    }

    /// Runs one call between two pauses; one of its requests fails now and then.
    async fn call<T>(
        &self,
        faults: &[Fault],
        n_requests: usize,
        call: impl AsyncFnOnce(&MemoryStore) -> StoreResult<T>,
    ) -> StoreResult<T> {
        pause().await;
        if self.is_closed.get() {
            return Err(StoreError::Closed);
        }
        let random = &self.world.random;
        let armed = Faults::default();
        let fault = (self.world.is_failing.get() && random.one_in(16)).then(|| random.pick(faults));
        if let Some(fault) = fault {
            armed.arm(1 + random.below(n_requests) as u64, fault);
        }
        let store = MemoryStore::in_steps(
            self.world.disk.clone(),
            armed.clone(),
            Rc::new(OneByOne),
            self.world.death_of(self.tab),
        );
        store.set_quiet(random.one_in(2));
        let result = call(&store).await;
        self.world.look_at_disk();
        let struck = fault.filter(|_| !armed.is_armed());
        if let Some(fault) = struck {
            self.world.add_strike(self.tab, fault);
        }
        // The browser that closes a connection may let another be opened.
        if matches!(result, Err(StoreError::Closed)) && struck.is_some() && random.one_in(2) {
            self.is_closed.set(true);
        }
        pause().await;
        result
    }
}

/// The protocol that is not safe.
async fn commit_undone_by_callback(store: &MemoryStore, commit: &Commit) -> StoreResult<()> {
    let mut transaction = store.begin().await?;
    let found = transaction.last_number().await?.unwrap_or_default();
    let record = CommitRecord { meta: commit.meta.clone(), nonce: commit.nonce, origin: None, log: commit.log.clone() };
    transaction.put(&RecordKey::Log(commit.meta.head), &encode_commit(&record)?)?;
    for page in &commit.put_pages {
        transaction.put(&RecordKey::Page(page.key), &encode_page(page)?)?;
    }
    for manifest in &commit.put_manifests {
        transaction.put(&RecordKey::Manifest(manifest.key), &encode_manifest(manifest)?)?;
    }
    for record in &commit.put_catalog {
        transaction.put(&RecordKey::Catalog(record.key.clone()), &encode_catalog(record))?;
    }
    commit.drop_catalog.iter().try_for_each(|key| transaction.delete(&RecordKey::Catalog(key.clone())))?;
    commit.drop_log.iter().try_for_each(|number| transaction.delete(&RecordKey::Log(*number)))?;
    commit.drop_manifests.iter().try_for_each(|key| transaction.delete(&RecordKey::Manifest(*key)))?;
    commit.drop_pages.iter().try_for_each(|key| transaction.delete(&RecordKey::Page(*key)))?;
    pause().await;
    if found != commit.base {
        transaction.abort();
        return Err(StoreError::Conflict { expected: commit.base, found });
    }
    transaction.commit().await
}

#[async_trait(?Send)]
impl Store for TabStore {
    async fn read_since(&self, since: Option<&Meta>) -> StoreResult<Tail> {
        self.call(&WHEN_READING, 4, async |store| store.read_since(since).await).await
    }

    async fn commit(&self, commit: &Commit) -> StoreResult<()> {
        self.world.add_requested(self.tab, commit);
        let protocol = self.world.protocol;
        self.call(&WHEN_WRITING, 6, async |store| match protocol {
            Protocol::Numbered => store.commit(commit).await,
            Protocol::UndoneByCallback => commit_undone_by_callback(store, commit).await,
        })
        .await
    }

    async fn read_commits(&self, numbers: &[u64]) -> StoreResult<Vec<Option<CommitRecord>>> {
        self.call(&WHEN_READING, 1, async |store| store.read_commits(numbers).await).await
    }

    async fn read_pages(&self, keys: &[PageKey]) -> StoreResult<Vec<Option<Page>>> {
        self.call(&WHEN_READING, 1, async |store| store.read_pages(keys).await).await
    }

    async fn read_pages_of(&self, of: LogKey, keys: &[PageKey]) -> StoreResult<Option<Vec<StoreResult<Option<Page>>>>> {
        self.call(&WHEN_READING, 2, async |store| store.read_pages_of(of, keys).await).await
    }

    async fn page_keys(&self) -> StoreResult<Vec<PageKey>> {
        self.call(&WHEN_READING, 1, async |store| store.page_keys().await).await
    }

    fn newest_head_heard(&self) -> Option<u64> {
        self.world.hear(self.tab)
    }

    async fn close(&self) {
        self.is_closed.set(true);
    }
}
