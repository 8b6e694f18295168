use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kalamdb_store::{LogKey, Meta, PartitionId, TableId, Tail};

use crate::catalog::{self, Catalog, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::partition::Partition;

/// What is stored, as one instance has read it.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) meta: Meta,
    pub(super) catalog: Arc<Catalog>,
    partitions: HashMap<PartitionId, Partition>,
    /// Log records that do not decode: whose rows they held is not known.
    damaged: Vec<String>,
    pub(super) is_closed: bool,
}

impl State {
    /// A partition of a table, which is empty if nothing was ever stored in it.
    ///
    /// # Errors
    /// `data_corrupted` if rows may be missing.
    pub(super) fn partition(&mut self, table: &Table, id: &PartitionId) -> Result<&mut Partition> {
        if let Some(record) = self.damaged.first() {
            let message = format!("table {}: rows may be missing, as {record} is damaged", table.full_name());
            return Err(Error::new(ErrorKind::DataCorrupted, message));
        }
        Ok(self.partitions.entry(id.clone()).or_default())
    }

    /// The number of the last commit that changed a partition; 0 if none has.
    pub(super) fn changed_at(&self, id: &PartitionId) -> u64 {
        self.partitions.get(id).map_or(0, Partition::changed_at)
    }

    /// The partitions of a table that hold anything.
    pub(super) fn partitions_of(&self, table: TableId) -> impl Iterator<Item = (&PartitionId, &Partition)> {
        self.partitions.iter().filter(move |(id, _)| id.table == table)
    }

    /// Every user that has rows.
    pub(super) fn users(&self) -> HashSet<&str> {
        self.partitions.keys().filter_map(|id| id.user.as_deref()).collect()
    }

    /// The log records of all partitions of a table.
    pub(super) fn log_keys(&self, table: TableId) -> Vec<LogKey> {
        let mut keys: Vec<LogKey> = self.partitions_of(table).flat_map(|(_, partition)| partition.log_keys()).collect();
        keys.sort_unstable();
        keys
    }

    pub(super) fn set_catalog(&mut self, catalog: Arc<Catalog>) {
        self.partitions.retain(|id, _| catalog.contains_table_id(id.table));
        self.catalog = catalog;
    }

    pub(super) fn apply_tail(&mut self, tail: Tail) -> Result<()> {
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

    /// Forgets all rows.
    pub(super) fn clear(&mut self) {
        self.partitions.clear();
        self.catalog = Arc::default();
    }
}
