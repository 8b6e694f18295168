use std::sync::Arc;

use kalamdb_store::{Meta, PartitionId, TableId};

use super::{Database, Transaction};
use crate::catalog::{Catalog, Table};
use crate::error::Result;
use crate::partition::{Keys, Partition, RowAddress, Snapshot, StoredKey};

/// What a statement sees: the database as committed, or as a transaction has changed it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) database: &'a Database,
    pub(crate) transaction: Option<&'a Transaction>,
}

impl View<'_> {
    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        self.transaction.map_or_else(|| self.database.catalog(), Transaction::catalog)
    }

    /// The numbers that the next change goes on from.
    pub(crate) fn meta(&self) -> Meta {
        self.transaction.map_or_else(|| self.database.meta(), Transaction::meta)
    }

    /// How many are subscribed to a table. Nobody can be yet.
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

    /// The partitions of a table that hold anything.
    pub(crate) fn partitions_of(&self, table: TableId) -> Vec<PartitionId> {
        let mut partitions = self.database.partitions_of(table);
        partitions.extend(self.transaction.map(|transaction| transaction.partitions_of(table)).unwrap_or_default());
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
    pub(crate) fn greatest(&self, table: &Arc<Table>, id: &PartitionId, column: usize) -> Result<i64> {
        self.with_partition(table, id, |partition| partition.greatest(table, column))
    }

    fn with_partition<T>(&self, table: &Arc<Table>, id: &PartitionId, read: impl FnOnce(&mut Partition) -> Result<T>) -> Result<T> {
        match self.transaction {
            Some(transaction) => transaction.with_partition(self.database, table, id, read),
            None => self.database.with_partition(table, id, read),
        }
    }

    /// Reads what other tabs have committed, if word of it has come and the view may move.
    pub(crate) async fn refresh(&self) -> Result<()> {
        match self.transaction {
            Some(transaction) => transaction.refresh(self.database).await,
            None => self.database.refresh().await,
        }
    }
}
