//! A store that lets others run before and after every call, and that fails.

use std::cell::RefCell;
use std::rc::Rc;

use async_trait::async_trait;
use kalamdb_store::{Commit, Fault, Faults, MemoryStore, Page, PageKey, Position, Store, StoreError, StoreResult, Tail};

use super::world::{World, pause};

const WHEN_READING: [Fault; 2] = [Fault::Abort, Fault::Close];
const WHEN_WRITING: [Fault; 5] =
    [Fault::QuotaExceeded, Fault::Abort, Fault::Close, Fault::Indeterminate { stored: true }, Fault::Indeterminate { stored: false }];

/// One tab's connection to the disk.
pub(crate) struct TabStore {
    world: Rc<World>,
    tab: usize,
    faults: Faults,
    inner: RefCell<Rc<MemoryStore>>,
}

impl TabStore {
    pub(crate) fn new(world: &Rc<World>, tab: usize) -> Self {
        let faults = Faults::default();
        let inner = RefCell::new(Rc::new(MemoryStore::on_disk(world.disk.clone(), faults.clone())));
        Self { world: Rc::clone(world), tab, faults, inner }
    }

    /// Runs one call between two pauses; one of its requests fails now and then.
    async fn call<T>(&self, faults: &[Fault], n_requests: usize, call: impl AsyncFnOnce(&MemoryStore) -> StoreResult<T>) -> StoreResult<T> {
        pause().await;
        let random = &self.world.random;
        let fault = (self.world.is_failing.get() && random.one_in(16)).then(|| random.pick(faults));
        if let Some(fault) = fault {
            self.faults.arm(1 + random.below(n_requests) as u64, fault);
        }
        let inner = Rc::clone(&self.inner.borrow());
        let result = call(&inner).await;
        let struck = fault.filter(|_| !self.faults.is_armed());
        self.faults.disarm();
        if let Some(fault) = struck {
            self.world.add_strike(self.tab, fault);
        }
        // The browser that closes a connection may let another be opened.
        if matches!(result, Err(StoreError::Closed)) && struck.is_some() && random.one_in(2) {
            self.inner.replace(Rc::new(MemoryStore::on_disk(self.world.disk.clone(), self.faults.clone())));
        }
        pause().await;
        result
    }
}

#[async_trait(?Send)]
impl Store for TabStore {
    async fn read_since(&self, since: Option<Position>) -> StoreResult<Tail> {
        self.call(&WHEN_READING, 4, async |store| store.read_since(since).await).await
    }

    async fn commit(&self, commit: &Commit) -> StoreResult<()> {
        self.call(&WHEN_WRITING, 6, async |store| {
            let before = self.world.head();
            let result = store.commit(commit).await;
            if self.world.head() != before {
                self.world.add_stored(self.tab, commit);
            }
            result
        })
        .await
    }

    async fn read_pages(&self, keys: &[PageKey]) -> StoreResult<Vec<Option<Page>>> {
        self.call(&WHEN_READING, 1, async |store| store.read_pages(keys).await).await
    }

    async fn page_keys(&self) -> StoreResult<Vec<PageKey>> {
        self.call(&WHEN_READING, 1, async |store| store.page_keys().await).await
    }

    fn newest_head_heard(&self) -> Option<u64> {
        self.world.hear(self.tab)
    }

    async fn close(&self) {
        let inner = Rc::clone(&self.inner.borrow());
        inner.close().await;
    }
}
