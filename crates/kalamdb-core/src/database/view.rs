//! The read view of a statement: the rows and definitions that it sees.

use std::sync::Arc;

use kalamdb_store::{Meta, TableId};

use super::database::Database;
use super::transaction::Transaction;
use crate::catalog::{Catalog, PartitionId, Table};
use crate::error::Result;
use crate::partition::{Partition, RowAddress, Snapshot, StoredKey};
use crate::rows::Keys;

/// What a statement sees.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadView<'a> {
    pub(crate) database: &'a Database,
    source: Source<'a>,
}

/// Where the rows and definitions of a view come from.
#[derive(Debug, Clone, Copy)]
enum Source<'a> {
    /// The database as committed.
    Committed,
    /// The database as a transaction has changed it.
    Transaction(&'a Transaction),
    /// The database with changes that are not committed yet: those of the earlier statements of a group, or of a
    /// statement's own earlier rows.
    Overlay(&'a Transaction),
}

impl<'a> ReadView<'a> {
    /// The view of a transaction, or of the database as committed.
    pub(crate) fn new(database: &'a Database, transaction: Option<&'a Transaction>) -> Self {
        Self { database, source: transaction.map_or(Source::Committed, Source::Transaction) }
    }

    /// A view that shows the changes of `overlay`.
    pub(crate) fn over(database: &'a Database, overlay: &'a Transaction) -> Self {
        Self { database, source: Source::Overlay(overlay) }
    }

    /// The transaction that the statement is a part of.
    pub(crate) fn transaction(&self) -> Option<&'a Transaction> {
        match self.source {
            Source::Transaction(transaction) => Some(transaction),
            Source::Committed | Source::Overlay(_) => None,
        }
    }

    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        self.overlay().map_or_else(|| self.database.catalog(), Transaction::catalog)
    }

    /// The numbers from which the next change continues.
    pub(crate) fn meta(&self) -> Meta {
        self.overlay().map_or_else(|| self.database.meta(), Transaction::meta)
    }

    /// An overlay for changes on top of what the view shows.
    pub(crate) fn fork(&self) -> Transaction {
        self.overlay().map_or_else(|| Transaction::begin(self.database), Transaction::fork)
    }

    /// The changes that lie over the committed rows.
    fn overlay(&self) -> Option<&'a Transaction> {
        match self.source {
            Source::Committed => None,
            Source::Transaction(overlay) | Source::Overlay(overlay) => Some(overlay),
        }
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
        partitions.extend(self.overlay().map(|overlay| overlay.partitions_of(table)).unwrap_or_default());
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
        match self.overlay() {
            Some(overlay) => overlay.with_partition(self.database, table, id, read),
            None => self.database.with_partition(table, id, read),
        }
    }

    /// Reads the commits of other tabs, if a message has announced some and the view may advance.
    pub(crate) async fn refresh(&self) -> Result<()> {
        match self.transaction() {
            Some(transaction) => transaction.refresh(self.database).await,
            None => self.database.refresh().await,
        }
    }
}
