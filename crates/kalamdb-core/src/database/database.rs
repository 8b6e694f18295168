//! An open database, and the transactions on it.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use datafusion::execution::memory_pool::MemoryPool;
use kalamdb_store::{
    CommitRecord, Durability, LogKey, LogRecord, Meta, Owner, PageKey, PartitionId as StoredId, Store, TableId,
};

use super::group::CommitGroup;
use super::interval::Cooldown;
use super::jobs::Jobs;
use super::log_use::{Dying, Leaving};
use super::resources::{MemoryBudget, Resources};
use super::state::State;
use super::turns::{WritePermit, WriterQueue};
use crate::catalog::{Catalog, PartitionId, Table};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::functions::{Ids, Limits, system_random};
use crate::partition::{Logged, Partition, RowGroup};
use crate::segment::{DefaultMemory, Pages, QueryMemory};

/// An open database: what is stored, as this instance has read it, and the one writer at a time.
///
/// Only commits that are durable are visible here. Other instances (tabs) may commit at any time; their commits are
/// read when they are heard of, and at the latest when a commit of this instance meets a newer head.
pub struct Database {
    pub(super) store: Rc<dyn Store>,
    pub(crate) clock: Rc<dyn Clock>,
    durability: Durability,
    /// Of all sessions: their ids differ.
    ids: Arc<Ids>,
    pub(crate) state: RefCell<State>,
    pub(crate) pages: Rc<Pages>,
    /// The memory pool of all queries.
    query_memory: Arc<dyn MemoryPool>,
    /// How large values may become.
    limits: Arc<Limits>,
    pub(crate) jobs: RefCell<Jobs>,
    /// Of looking for tombstones that are past their retention.
    retention_interval: Cooldown,
    /// Of looking for orphaned pages.
    orphans_interval: Cooldown,
    /// Since the quota has turned out to be used up.
    full_interval: Cooldown,
    /// Of seeing to the reserve of the store.
    reserve_interval: Cooldown,
    /// A statement that writes has the turn from reading its rows until its change is committed or in a group.
    turns: WriterQueue,
    /// Takes members, if there is one and any of them still waits.
    group: RefCell<Weak<CommitGroup>>,
    /// Bytes written to the log since it was last shortened.
    logged_bytes: Cell<usize>,
    pub(super) this: Weak<Database>,
}

/// The write stall: after this many bytes written to the log since it was last shortened, 256 MiB, a writer waits until
/// the log has been flushed. Usually the background flush between statements is faster.
const MAX_LOGGED_BYTES: usize = 256 << 20;

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("durability", &self.durability)
            .field("meta", &self.meta())
            .finish_non_exhaustive()
    }
}

impl Database {
    /// Reads catalog and log from `store`.
    ///
    /// # Errors
    /// `schema_too_new`, `storage_unavailable`.
    pub async fn open(store: Rc<dyn Store>, clock: Rc<dyn Clock>, durability: Durability) -> Result<Rc<Self>> {
        Self::open_with(store, clock, durability, Resources::default()).await
    }

    /// The same with as much memory, and values as large.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub async fn open_with(
        store: Rc<dyn Store>,
        clock: Rc<dyn Clock>,
        durability: Durability,
        resources: impl Into<Resources>,
    ) -> Result<Rc<Self>> {
        let Resources { memory, value_bytes, heap } = resources.into();
        let tail = store.read_since(None).await?;
        let (MemoryBudget::Pages(n_bytes) | MemoryBudget::All(n_bytes)) = memory;
        let pages = Pages::new(Rc::clone(&store), n_bytes);
        let query_memory: Arc<dyn MemoryPool> = match memory {
            MemoryBudget::Pages(_) => Arc::new(DefaultMemory::new(heap)),
            MemoryBudget::All(_) => Arc::new(QueryMemory::new(pages.cache())),
        };
        let limits = Limits::new(value_bytes, &query_memory);
        let mut state = State::new(Arc::clone(pages.cache()));
        state.apply(tail);
        let ids = Arc::new(Ids::new(system_random)?);
        let orphans_interval = Cooldown::begun(clock.now_us());
        Ok(Rc::new_cyclic(|this| Self {
            store,
            clock,
            durability,
            ids,
            state: RefCell::new(state),
            pages,
            query_memory,
            limits,
            jobs: RefCell::default(),
            retention_interval: Cooldown::default(),
            orphans_interval,
            full_interval: Cooldown::default(),
            reserve_interval: Cooldown::default(),
            turns: WriterQueue::default(),
            group: RefCell::default(),
            logged_bytes: Cell::default(),
            this: Weak::clone(this),
        }))
    }

    /// Waits for the writer, then closes the store; later calls fail with `database_closed`. Closing twice is allowed.
    pub async fn close(&self) {
        self.state.borrow_mut().is_closed = true;
        let _turn = self.turn_alone().await;
        self.store.close().await;
        self.state.borrow_mut().clear();
    }

    pub(crate) fn check_open(&self) -> Result<()> {
        if self.state.borrow().is_closed {
            return Err(Error::new(ErrorKind::DatabaseClosed, "the database is closed").with_hint("open it again"));
        }
        Ok(())
    }

    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.state.borrow().catalog)
    }

    pub(crate) fn meta(&self) -> Meta {
        self.state.borrow().meta.clone()
    }

    pub(crate) fn now_us(&self) -> i64 {
        self.clock.now_us()
    }

    pub(crate) fn ids(&self) -> &Arc<Ids> {
        &self.ids
    }

    pub(crate) fn durability(&self) -> Durability {
        self.durability
    }

    pub(crate) fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    pub(crate) fn pages(&self) -> &Rc<Pages> {
        &self.pages
    }

    pub(crate) fn query_memory(&self) -> &Arc<dyn MemoryPool> {
        &self.query_memory
    }

    /// How many bytes running queries have asked for.
    pub fn query_memory_in_use(&self) -> usize {
        self.query_memory.reserved()
    }

    pub(crate) fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }

    pub(crate) fn retention_interval(&self) -> &Cooldown {
        &self.retention_interval
    }

    pub(crate) fn orphans_interval(&self) -> &Cooldown {
        &self.orphans_interval
    }

    pub(crate) fn full_interval(&self) -> &Cooldown {
        &self.full_interval
    }

    pub(crate) fn reserve_interval(&self) -> &Cooldown {
        &self.reserve_interval
    }

    pub(crate) fn jobs(&self) -> &RefCell<Jobs> {
        &self.jobs
    }

    /// Takes note of so many bytes written to the log.
    pub(crate) fn record_log_bytes(&self, n_bytes: usize) {
        self.logged_bytes.set(self.logged_bytes.get().saturating_add(n_bytes));
    }

    /// Takes on the write stall that is due, if one is: so much was written that a writer waits until the log is
    /// shorter. Counting begins anew, so that one writer takes it on.
    pub(crate) fn take_write_stall(&self) -> bool {
        let is_due = self.logged_bytes.get() >= MAX_LOGGED_BYTES;
        if is_due {
            self.logged_bytes.set(0);
        }
        is_due
    }

    /// Runs `read` on a partition.
    pub(crate) fn with_partition<T>(
        &self,
        table: &Arc<Table>,
        id: &PartitionId,
        read: impl FnOnce(&mut Partition) -> Result<T>,
    ) -> Result<T> {
        read(self.state.borrow_mut().partition(table, id)?)
    }

    /// A partition of a transaction's own, to go on from the rows as of now.
    pub(super) fn fork(&self, table: &Arc<Table>, id: &PartitionId) -> Result<Partition> {
        let mut state = self.state.borrow_mut();
        // As committed: the transaction may have altered the table already.
        let committed = state.catalog.find_id(table.id).cloned();
        state.partition(table, id)?.fork(committed.as_ref().unwrap_or(table))
    }

    /// The number of the last commit that changed a partition; 0 if none has.
    pub(super) fn changed_at(&self, id: &PartitionId) -> u64 {
        self.state.borrow().changed_at(id)
    }

    /// The partitions of a table that are not empty.
    pub(super) fn partitions_of(&self, table: TableId) -> Vec<PartitionId> {
        self.state.borrow().partitions_of(table).map(|(id, _)| id.clone()).collect()
    }

    /// The parts of the log that hold rows of a table.
    pub(crate) fn parts_of(&self, table: TableId) -> Vec<Dying> {
        self.state.borrow().parts_of(table)
    }

    /// What becomes of the log when those parts die.
    pub(crate) fn leaving(&self, dying: &[Dying]) -> Leaving {
        self.state.borrow().log.leaving(dying)
    }

    /// The records to shrink, without their dead parts. A record that cannot be read stays as it is.
    pub(crate) async fn shrunk(&self, leaving: &mut Leaving) -> Result<Vec<CommitRecord>> {
        if leaving.shrink.is_empty() {
            return Ok(Vec::new());
        }
        let numbers: Vec<u64> = leaving.shrink.iter().map(|(number, _)| *number).collect();
        let read = self.store.read_commits(&numbers).await?;
        let mut records = Vec::new();
        let mut read = read.into_iter();
        leaving.shrink.retain(|(_, stay)| {
            let Some(mut record) = read.next().flatten() else { return false };
            record.log.retain(|part: &LogRecord| stay.contains(&part.key.part));
            records.push(record);
            true
        });
        Ok(records)
    }

    /// The partition as it is stored; `None` if its user has no owner yet.
    pub(crate) fn stored_id(&self, id: &PartitionId) -> Option<StoredId> {
        self.state.borrow().owners.stored(id)
    }

    /// A random number.
    pub(crate) fn random(&self) -> Result<u64> {
        let mut bytes = [0; 8];
        system_random(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// The manifests of all partitions of a table, and the pages that they name.
    pub(crate) fn stored_segments(&self, table: TableId) -> Result<(Vec<LogKey>, Vec<PageKey>)> {
        self.state.borrow_mut().stored_segments(table)
    }

    /// Every user that has rows.
    pub(crate) fn users(&self) -> Vec<String> {
        let state = self.state.borrow();
        let mut users: Vec<String> = state.users().into_iter().map(str::to_owned).collect();
        users.sort_unstable();
        users
    }

    pub(crate) fn turns(&self) -> &WriterQueue {
        &self.turns
    }

    /// Waits until no other statement of this instance writes, and until the open group is committed.
    pub(crate) async fn turn_alone(&self) -> Result<WritePermit> {
        let mut turn = self.turns.next().await?;
        while self.open_group().is_some() && self.turns.let_last_go() {
            let place = self.turns.first();
            drop(turn);
            turn = place.turn().await?;
        }
        Ok(turn)
    }

    /// The open group, if there is one. Only the holder of the turn adds to it.
    pub(crate) fn open_group(&self) -> Option<Rc<CommitGroup>> {
        self.group.borrow().upgrade()
    }

    pub(crate) fn set_open_group(&self, group: Weak<CommitGroup>) {
        *self.group.borrow_mut() = group;
    }

    /// Reads the commits of other tabs, if a message has announced some.
    pub(crate) async fn refresh(&self) -> Result<()> {
        self.check_open()?;
        match self.store.newest_head_heard() {
            Some(head) if head > self.state.borrow().meta.head => self.catch_up().await.map(drop),
            _ => Ok(()),
        }
    }

    /// Reads the commits of other tabs; returns whether there were any.
    pub(crate) async fn catch_up(&self) -> Result<bool> {
        loop {
            let meta = self.meta();
            let tail = self.store.read_since(Some(&meta)).await?;
            let mut state = self.state.borrow_mut();
            // While this was read, another statement may have read the same, or committed.
            if state.meta.head == meta.head {
                let moved = tail.meta.head != meta.head;
                state.apply(tail);
                return Ok(moved);
            }
        }
    }

    /// Applies a commit of this instance, unless it has come in from the log already.
    pub(crate) fn apply_commit(&self, base: u64, applied: AppliedCommit) {
        let AppliedCommit { meta, catalog, owners, leaving, groups } = applied;
        let head = meta.head;
        let mut touched = Vec::with_capacity(groups.len());
        self.state.borrow_mut().publish(base, meta, &leaving, |state| {
            for (owner, user) in owners {
                state.owners.add(owner, user);
            }
            if let Some(catalog) = catalog {
                state.set_catalog(catalog, head);
            }
            for (written, id, group, log) in groups {
                if !state.catalog.contains_table_id(written.id) {
                    continue;
                }
                log.iter().for_each(|logged| state.log.add(logged.key, logged.n_bytes));
                let partition = state.partition_for_rows(id.clone());
                partition.add_logged(log);
                // A transaction may have altered the table after it wrote the rows.
                partition.add(written.schema_version, group, head);
                touched.push(id);
            }
        });
        self.take_in_later(touched);
    }

    /// Refuses to write to a partition of which rows may be missing.
    ///
    /// # Errors
    /// `data_corrupted`.
    pub(crate) fn check_whole(&self, table: &Table, id: &PartitionId) -> Result<()> {
        self.state.borrow().check_whole(table, id)
    }

    /// Looks at rows that were committed while nobody waits for an answer: the next statement finds that done, or does
    /// it.
    fn take_in_later(&self, partitions: Vec<PartitionId>) {
        let database = Weak::clone(&self.this);
        self.clock.later(Box::new(move || {
            let Some(database) = database.upgrade() else { return };
            let mut state = database.state.borrow_mut();
            for id in partitions {
                let Some(table) = state.catalog.find_id(id.table).cloned() else { continue };
                // Whoever asks for the rows meets the same failure.
                let _ = state.existing_mut(&id).map(|partition| partition.take_in(&table));
            }
        }));
    }
}

/// The changes of a commit to memory, applied once it is durable.
pub(crate) struct AppliedCommit {
    pub(crate) meta: Meta,
    pub(crate) catalog: Option<Arc<Catalog>>,
    /// Users that have rows for the first time.
    pub(crate) owners: Vec<(Owner, String)>,
    pub(crate) leaving: Leaving,
    /// Each with its table, its partition and the parts of the log that hold it.
    pub(crate) groups: Vec<(Arc<Table>, PartitionId, RowGroup, Vec<Logged>)>,
}
