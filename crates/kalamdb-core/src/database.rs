use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use futures::lock::{Mutex, MutexGuard};
use kalamdb_store::{Durability, Meta, PartitionId, Position, Store, Tail};

use crate::catalog::{self, Catalog, Table, TableName};
use crate::environment::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::partition::{Keys, Partition, Snapshot, StoredKey};

/// An open database: what is stored, as this instance has read it, and the one writer at a time.
///
/// Only commits that are durable are visible here. Other instances (tabs) may commit at any time; their commits are read when
/// they are heard of, and at the latest when a commit of this instance meets a newer head.
pub struct Database {
    store: Rc<dyn Store>,
    clock: Rc<dyn Clock>,
    durability: Durability,
    state: RefCell<State>,
    /// Held by a statement that writes, from reading its rows to its commit.
    writer: Mutex<()>,
}

#[derive(Debug)]
struct State {
    meta: Meta,
    catalog: Arc<Catalog>,
    partitions: HashMap<PartitionId, Partition>,
    /// Log records that do not decode: whose rows they held is not known.
    damaged: Vec<String>,
    is_closed: bool,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("durability", &self.durability).field("meta", &self.meta()).finish_non_exhaustive()
    }
}

impl Database {
    /// Reads catalog and log from `store`.
    ///
    /// # Errors
    /// `schema_too_new`, `data_corrupted` if the catalog does not decode, `storage_unavailable`.
    pub async fn open(store: Rc<dyn Store>, clock: Rc<dyn Clock>, durability: Durability) -> Result<Rc<Self>> {
        let tail = store.read_since(None).await?;
        let state = State { meta: Meta::default(), catalog: Arc::default(), partitions: HashMap::new(), damaged: Vec::new(), is_closed: false };
        let database = Self { store, clock, durability, state: RefCell::new(state), writer: Mutex::new(()) };
        database.state.borrow_mut().apply_tail(tail)?;
        Ok(Rc::new(database))
    }

    /// Waits for the writer, then closes the store; later calls fail with `database_closed`. Closing twice is allowed.
    pub async fn close(&self) {
        self.state.borrow_mut().is_closed = true;
        let _writer = self.writer.lock().await;
        self.store.close().await;
        let mut state = self.state.borrow_mut();
        state.partitions.clear();
        state.catalog = Arc::default();
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

    pub(crate) fn durability(&self) -> Durability {
        self.durability
    }

    pub(crate) fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// A table with its rows as of now.
    pub(crate) fn table_snapshot(&self, name: &TableName) -> Result<(Arc<Table>, Snapshot)> {
        let mut state = self.state.borrow_mut();
        let table = Arc::clone(state.catalog.require_table(name)?);
        let snapshot = state.partition(&table)?.snapshot(&table)?;
        Ok((table, snapshot))
    }

    /// For each key, its current version, if it was ever stored.
    pub(crate) fn find(&self, table: &Arc<Table>, keys: &Keys) -> Result<Vec<Option<StoredKey>>> {
        self.state.borrow_mut().partition(table)?.find(table, keys)
    }

    pub(crate) fn log_keys(&self, table: &Table) -> Vec<kalamdb_store::LogKey> {
        self.state.borrow().partitions.get(&table.partition()).map_or_else(Vec::new, |partition| partition.log_keys().to_vec())
    }

    /// Waits until no other statement of this instance writes.
    pub(crate) async fn writer(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().await
    }

    /// Reads what others have committed, if word of it has come.
    pub(crate) async fn refresh(&self) -> Result<()> {
        self.check_open()?;
        match self.store.newest_head_heard() {
            Some(head) if head > self.state.borrow().meta.head => self.catch_up().await.map(drop),
            _ => Ok(()),
        }
    }

    /// Reads what others have committed; returns whether there was anything.
    pub(crate) async fn catch_up(&self) -> Result<bool> {
        loop {
            let meta = self.meta();
            let since = Position { head: meta.head, catalog_head: meta.catalog_head };
            let tail = self.store.read_since(Some(since)).await?;
            let mut state = self.state.borrow_mut();
            // While this was read, another statement may have read the same, or committed.
            if state.meta.head == meta.head {
                let moved = tail.meta.head != meta.head;
                return state.apply_tail(tail).map(|()| moved);
            }
        }
    }

    /// Applies a commit of this instance, unless it has come in from the log already.
    pub(crate) fn apply_commit(&self, base: u64, apply: impl FnOnce(&mut CommitView<'_>) -> Result<()>, meta: Meta) -> Result<()> {
        let mut state = self.state.borrow_mut();
        if state.meta.head != base {
            return Ok(());
        }
        apply(&mut CommitView(&mut state))?;
        state.meta = meta;
        Ok(())
    }
}

/// What a commit may change in memory once it is durable.
pub(crate) struct CommitView<'a>(&'a mut State);

impl CommitView<'_> {
    pub(crate) fn partition(&mut self, id: &PartitionId) -> &mut Partition {
        self.0.partitions.entry(id.clone()).or_default()
    }

    pub(crate) fn set_catalog(&mut self, catalog: Arc<Catalog>) {
        self.0.set_catalog(catalog);
    }
}

impl State {
    fn partition(&mut self, table: &Table) -> Result<&mut Partition> {
        if let Some(record) = self.damaged.first() {
            let message = format!("table {}: rows may be missing, as {record} is damaged", table.full_name());
            return Err(Error::new(ErrorKind::DataCorrupted, message));
        }
        Ok(self.partitions.entry(table.partition()).or_default())
    }

    fn set_catalog(&mut self, catalog: Arc<Catalog>) {
        self.partitions.retain(|id, _| catalog.contains_table_id(id.table));
        self.catalog = catalog;
    }

    fn apply_tail(&mut self, tail: Tail) -> Result<()> {
        if let Some((key, what)) = tail.damaged.iter().find(|(key, _)| key.starts_with("catalog/")) {
            return Err(Error::new(ErrorKind::DataCorrupted, format!("{key} is damaged: {what}")));
        }
        if let Some(records) = &tail.catalog {
            self.set_catalog(Arc::new(catalog::decode(records)?));
        }
        self.damaged.extend(tail.damaged.into_iter().map(|(key, what)| format!("{key} ({what})")));
        let tables: HashSet<u64> = self.catalog.tables().map(|table| table.id).collect();
        for record in tail.log.into_iter().filter(|record| tables.contains(&record.partition.table)) {
            self.partitions.entry(record.partition.clone()).or_default().add_pending(record);
        }
        self.meta = tail.meta;
        Ok(())
    }
}
