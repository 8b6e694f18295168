use std::sync::Arc;

use kalamdb_store::{LogKey, Meta, PartitionId, TableId};

use super::{Database, Transaction};
use crate::catalog::{Catalog, Table};
use crate::error::Result;
use crate::partition::{Keys, Snapshot, StoredKey};

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

    pub(crate) fn now_us(&self) -> i64 {
        self.database.now_us()
    }

    /// The rows of a partition.
    pub(crate) fn snapshot(&self, table: &Arc<Table>, id: &PartitionId) -> Result<Snapshot> {
        match self.transaction {
            Some(transaction) => transaction.snapshot(self.database, table, id),
            None => self.database.snapshot(table, id),
        }
    }

    /// For each key, its current version, if it was ever stored.
    pub(crate) fn find(&self, table: &Arc<Table>, id: &PartitionId, keys: &Keys) -> Result<Vec<Option<StoredKey>>> {
        match self.transaction {
            Some(transaction) => transaction.find(self.database, table, id, keys),
            None => self.database.find(table, id, keys),
        }
    }

    /// The partitions of a table that hold anything.
    pub(crate) fn partitions_of(&self, table: TableId) -> Vec<PartitionId> {
        let mut partitions = self.database.partitions_of(table);
        partitions.extend(self.transaction.map(|transaction| transaction.partitions_of(table)).unwrap_or_default());
        partitions.sort_unstable();
        partitions.dedup();
        partitions
    }

    /// The log records of all partitions of a table.
    pub(crate) fn log_keys(&self, table: TableId) -> Vec<LogKey> {
        self.database.log_keys(table)
    }

    /// Reads what other tabs have committed, if word of it has come and the view may move.
    pub(crate) async fn refresh(&self) -> Result<()> {
        match self.transaction {
            Some(transaction) => transaction.refresh(self.database).await,
            None => self.database.refresh().await,
        }
    }
}
