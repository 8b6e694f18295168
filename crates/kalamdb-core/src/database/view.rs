//! The read view of a statement: the rows and definitions that it sees.

use std::rc::Rc;
use std::sync::Arc;

use kalamdb_store::{Meta, TableId};

use super::database::Database;
use super::group::CommitGroup;
use super::transaction::Transaction;
use crate::catalog::{Catalog, PartitionId, Table};
use crate::error::Result;
use crate::partition::{Partition, RowAddress, Snapshot, StoredKey};
use crate::rows::Keys;

/// What a statement sees: the database as committed, or as a transaction has changed it, or as the statements before it
/// in its group have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadView<'a> {
    pub(crate) database: &'a Database,
    pub(crate) transaction: Option<&'a Transaction>,
    /// Identifies this view: a group is visible to one view only.
    pub(super) id: u64,
}

impl<'a> ReadView<'a> {
    pub(crate) fn new(database: &'a Database, transaction: Option<&'a Transaction>) -> Self {
        let id = database.n_views.get() + 1;
        database.n_views.set(id);
        Self { database, transaction, id }
    }

    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        self.overlay(Transaction::catalog).unwrap_or_else(|| self.database.catalog())
    }

    /// The numbers from which the next change continues.
    pub(crate) fn meta(&self) -> Meta {
        self.overlay(Transaction::meta).unwrap_or_else(|| self.database.meta())
    }

    /// Reads what lies over the committed rows: the transaction, or the group that the statement adds to.
    fn overlay<T>(&self, read: impl FnOnce(&Transaction) -> T) -> Option<T> {
        match self.transaction {
            Some(transaction) => Some(read(transaction)),
            None => self.group().map(|group| read(group.overlay())),
        }
    }

    fn group(&self) -> Option<Rc<CommitGroup>> {
        self.database.open_group().filter(|group| group.is_seen_by(self))
    }

    /// The number of subscribers of a table; always 0, as there are no subscriptions yet.
    pub(crate) fn n_subscribers(&self, _table: TableId) -> usize {
        0
    }

    pub(crate) fn now_us(&self) -> i64 {
        self.database.now_us()
    }

    /// The rows of a partition.
    pub(crate) fn snapshot(&self, table: &Arc<Table>, id: &PartitionId) -> Result<Snapshot> {
        self.with_partition(table, id, |partition| partition.snapshot(table))
    }

    /// For each key, its current version, if it was ever stored.
    pub(crate) fn find(&self, table: &Arc<Table>, id: &PartitionId, keys: &Keys) -> Result<Vec<Option<StoredKey>>> {
        self.with_partition(table, id, |partition| partition.find(table, keys))
    }

    /// The partitions of a table that are not empty.
    pub(crate) fn partitions_of(&self, table: TableId) -> Vec<PartitionId> {
        let mut partitions = self.database.partitions_of(table);
        partitions.extend(self.overlay(|overlay| overlay.partitions_of(table)).unwrap_or_default());
        partitions.sort_unstable();
        partitions.dedup();
        partitions
    }

    /// The live row that holds each of the values in `columns`; keys are as [`Keys::of_nullable`] makes them.
    pub(crate) fn find_unique(
        &self,
        table: &Arc<Table>,
        id: &PartitionId,
        columns: &[usize],
        keys: &[Option<Box<[u8]>>],
    ) -> Result<Vec<Option<RowAddress>>> {
        self.with_partition(table, id, |partition| partition.find_unique(table, columns, keys))
    }

    /// The greatest value that a column which counts by itself has held.
    pub(crate) fn max_value(&self, table: &Arc<Table>, id: &PartitionId, column: usize) -> Result<i64> {
        self.with_partition(table, id, |partition| partition.max_value(table, column))
    }

    fn with_partition<T>(
        &self,
        table: &Arc<Table>,
        id: &PartitionId,
        read: impl FnOnce(&mut Partition) -> Result<T>,
    ) -> Result<T> {
        if let Some(transaction) = self.transaction {
            return transaction.with_partition(self.database, table, id, read);
        }
        match self.group() {
            Some(group) => group.overlay().with_partition(self.database, table, id, read),
            None => self.database.with_partition(table, id, read),
        }
    }

    /// Reads the commits of other tabs, if a message has announced some and the view may advance.
    pub(crate) async fn refresh(&self) -> Result<()> {
        match self.transaction {
            Some(transaction) => transaction.refresh(self.database).await,
            None => self.database.refresh().await,
        }
    }
}
