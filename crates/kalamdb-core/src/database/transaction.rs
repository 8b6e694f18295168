//! A transaction: the database as it was at one commit, with the transaction's own changes on top.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use futures::lock::{Mutex, MutexGuard};
use kalamdb_store::{Meta, TableId};

use super::database::Database;
use crate::catalog::{Catalog, PartitionId, Table};
use crate::change::Change;
use crate::error::{Error, ErrorKind, Result};
use crate::partition::Partition;

/// A transaction: the database as it was at one commit, with the transaction's own changes on top.
///
/// It holds no lock. Its commit goes through if no partition that it has read or written has changed meanwhile, and no
/// definition of a table; otherwise it fails with `serialization_failure`, and nothing of it was written.
#[derive(Debug)]
pub(crate) struct Transaction {
    work: RefCell<Work>,
    savepoints: RefCell<Vec<(String, Work)>>,
    /// A statement failed; only ROLLBACK, to a savepoint or altogether, is left.
    is_failed: Cell<bool>,
    /// Held by one statement at a time, from reading its rows to taking in its change.
    statements: Mutex<()>,
}

/// The reads and writes of a transaction so far. A savepoint is a clone of it.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    /// The commit that it began from.
    base: u64,
    /// The numbers from which the next change continues. They are provisional: the commit numbers the rows again.
    meta: Meta,
    catalog: Arc<Catalog>,
    partitions: HashMap<PartitionId, Partition>,
    pub(crate) changes: Vec<Change>,
}

impl Transaction {
    pub(crate) fn begin(database: &Database) -> Self {
        let meta = database.meta();
        Self::of(Work {
            base: meta.head,
            meta,
            catalog: database.catalog(),
            partitions: HashMap::new(),
            changes: Vec::new(),
        })
    }

    /// Another one that goes on from the changes of this one, which are not a part of it.
    pub(super) fn fork(&self) -> Self {
        let work = self.work.borrow();
        Self::of(Work {
            base: work.base,
            meta: work.meta.clone(),
            catalog: Arc::clone(&work.catalog),
            partitions: work.partitions.clone(),
            changes: Vec::new(),
        })
    }

    fn of(work: Work) -> Self {
        Self {
            work: RefCell::new(work),
            savepoints: RefCell::default(),
            is_failed: Cell::new(false),
            statements: Mutex::new(()),
        }
    }

    pub(super) fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.work.borrow().catalog)
    }

    pub(super) fn meta(&self) -> Meta {
        self.work.borrow().meta.clone()
    }

    /// Moves the beginning to now while nothing has been read or written.
    pub(crate) async fn refresh(&self, database: &Database) -> Result<()> {
        if self.is_untouched() {
            database.refresh().await?;
            if self.is_untouched() {
                self.work.replace(Self::begin(database).work.into_inner());
            }
        }
        Ok(())
    }

    fn is_untouched(&self) -> bool {
        let work = self.work.borrow();
        work.partitions.is_empty() && work.changes.is_empty()
    }

    /// The partitions of a table that the transaction has read or written.
    pub(super) fn partitions_of(&self, table: TableId) -> Vec<PartitionId> {
        self.work.borrow().partitions.keys().filter(|id| id.table == table).cloned().collect()
    }

    /// Runs `read` on the transaction's own copy of a partition.
    pub(super) fn with_partition<T>(
        &self,
        database: &Database,
        table: &Arc<Table>,
        id: &PartitionId,
        read: impl FnOnce(&mut Partition) -> Result<T>,
    ) -> Result<T> {
        read(self.work.borrow_mut().partition(database, table, id)?)
    }

    /// Takes a statement's change into the transaction.
    pub(crate) fn apply(&self, database: &Database, mut change: Change) -> Result<()> {
        let mut work = self.work.borrow_mut();
        if let Some(catalog) = &change.catalog {
            work.meta.next_id = catalog.next_id;
            work.catalog = Arc::new(catalog.catalog.clone());
            let catalog = Arc::clone(&work.catalog);
            work.partitions.retain(|id, _| catalog.contains_table_id(id.table));
        }
        for part in change.rows.iter_mut().filter(|part| part.rows.n_rows > 0) {
            let first_seq = work.meta.next_seq;
            part.assign_row_ids(first_seq);
            work.meta.next_seq += part.rows.n_rows as u64;
            let group = part.group(first_seq, database.now_us());
            let (table, head) = (Arc::clone(&part.table), work.base);
            work.partition(database, &table, &part.partition)?.apply(&table, group, head)?;
        }
        work.changes.push(change);
        Ok(())
    }

    /// The changes to commit, if nothing that the transaction has read has changed since.
    pub(crate) fn finish(&self, database: &Database) -> Result<Vec<Change>> {
        let work = self.work.borrow();
        // What it has read was of one moment, whatever has changed since.
        if work.changes.is_empty() {
            return Ok(Vec::new());
        }
        let changed = work.partitions.keys().find(|id| database.changed_at(id) > work.base);
        let meta = database.meta();
        let is_stale = changed.is_some() || meta.catalog_head > work.base;
        if is_stale {
            return Err(conflict());
        }
        Ok(work.changes.clone())
    }

    /// The number after the last one that the transaction has used, be it for rows that it has undone.
    pub(crate) fn next_seq(&self) -> u64 {
        self.work.borrow().meta.next_seq
    }

    /// Waits until no other statement of the transaction writes.
    pub(crate) async fn statements(&self) -> MutexGuard<'_, ()> {
        self.statements.lock().await
    }

    pub(crate) fn is_failed(&self) -> bool {
        self.is_failed.get()
    }

    /// Leaves nothing but ROLLBACK, as after a failed statement in PostgreSQL.
    pub(crate) fn fail(&self) {
        self.is_failed.set(true);
    }

    pub(crate) fn save(&self, name: String) {
        self.savepoints.borrow_mut().push((name, self.work.borrow().clone()));
    }

    /// Removes a savepoint and all later ones, and keeps the changes made since.
    pub(crate) fn release(&self, name: &str) -> Result<()> {
        let at = self.savepoint(name)?;
        self.savepoints.borrow_mut().truncate(at);
        Ok(())
    }

    /// Undoes the changes since a savepoint, and keeps the savepoint.
    pub(crate) fn roll_back_to(&self, name: &str) -> Result<()> {
        let at = self.savepoint(name)?;
        let mut savepoints = self.savepoints.borrow_mut();
        savepoints.truncate(at + 1);
        if let Some((_, work)) = savepoints.last() {
            let mut restored = work.clone();
            let mut current = self.work.borrow_mut();
            // Ids and numbers are not used twice, and what was read stays read.
            restored.meta = current.meta.clone();
            for (id, _) in current.partitions.drain() {
                restored.partitions.entry(id).or_insert_with(Partition::unread);
            }
            *current = restored;
        }
        self.is_failed.set(false);
        Ok(())
    }

    fn savepoint(&self, name: &str) -> Result<usize> {
        let found = self.savepoints.borrow().iter().rposition(|(other, _)| other == name);
        found.ok_or_else(|| Error::new(ErrorKind::InvalidSavepoint, format!("savepoint {name} does not exist")))
    }
}

impl Work {
    /// The transaction's own copy of a partition, made when it is first touched.
    fn partition(&mut self, database: &Database, table: &Arc<Table>, id: &PartitionId) -> Result<&mut Partition> {
        if self.partitions.get(id).is_none_or(Partition::is_unread) {
            let is_new = !database.catalog().contains_table_id(id.table);
            // A table that somebody else has just made may have the id of one that this transaction has made.
            if database.changed_at(id) > self.base || database.meta().catalog_head > self.base {
                return Err(conflict());
            }
            let fork = if is_new { Partition::default() } else { database.fork(table, id)? };
            self.partitions.insert(id.clone(), fork);
        }
        self.partitions.get_mut(id).ok_or_else(|| Error::internal("a partition is missing"))
    }
}

fn conflict() -> Error {
    Error::new(
        ErrorKind::SerializationFailure,
        "rows that the transaction has read or written were changed by others meanwhile",
    )
    .with_hint("run the transaction again")
}
