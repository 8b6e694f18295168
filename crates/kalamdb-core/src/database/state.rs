use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kalamdb_store::{Damage, LogKey, Manifest, Meta, PageKey, PartitionId, TableId, Tail};

use crate::catalog::{self, Catalog, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::partition::Partition;
use crate::segment::PageCache;

/// What is stored, as one instance has read it.
#[derive(Debug)]
pub(super) struct State {
    pub(super) meta: Meta,
    pub(super) catalog: Arc<Catalog>,
    partitions: HashMap<PartitionId, Partition>,
    /// Records that do not decode.
    damaged: Vec<Damage>,
    pub(super) is_closed: bool,
    cache: Arc<PageCache>,
}

/// What taking in a tail has come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    All,
    /// Nothing: partitions were stored anew, and it takes all of the log to go on with them.
    NeedsWhole,
}

impl State {
    pub(super) fn new(cache: Arc<PageCache>) -> Self {
        Self { meta: Meta::default(), catalog: Arc::default(), partitions: HashMap::new(), damaged: Vec::new(), is_closed: false, cache }
    }

    /// A partition of a table, which is empty if nothing was ever stored in it.
    ///
    /// # Errors
    /// `data_corrupted` if rows may be missing.
    pub(super) fn partition(&mut self, table: &Table, id: &PartitionId) -> Result<&mut Partition> {
        if let Some(damage) = self.damage_of(id) {
            let message = format!("table {}: rows may be missing, as {} is damaged ({})", table.full_name(), damage.key, damage.what);
            return Err(Error::new(ErrorKind::DataCorrupted, message).with_hint("check() lists what is damaged, salvage() exports the rest"));
        }
        Ok(self.partitions.entry(id.clone()).or_default())
    }

    /// A damaged record that may hold rows of a partition. One of which the partition is not known may hold rows of any.
    pub(super) fn damage_of(&self, id: &PartitionId) -> Option<&Damage> {
        self.damaged.iter().find(|damage| damage.partition.as_ref().is_none_or(|partition| partition == id))
    }

    /// A partition, if anything is known of it.
    pub(super) fn existing(&self, id: &PartitionId) -> Option<&Partition> {
        self.partitions.get(id)
    }

    pub(super) fn existing_mut(&mut self, id: &PartitionId) -> Option<&mut Partition> {
        self.partitions.get_mut(id)
    }

    /// The number of the last commit that changed a partition; 0 if none has.
    pub(super) fn changed_at(&self, id: &PartitionId) -> u64 {
        self.partitions.get(id).map_or(0, Partition::changed_at)
    }

    /// The partitions of a table that hold anything.
    pub(super) fn partitions_of(&self, table: TableId) -> impl Iterator<Item = (&PartitionId, &Partition)> {
        self.partitions.iter().filter(move |(id, _)| id.table == table)
    }

    /// All partitions that hold anything.
    pub(super) fn partitions(&self) -> impl Iterator<Item = (&PartitionId, &Partition)> {
        self.partitions.iter()
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

    /// The manifests of all partitions of a table, and the pages that they name.
    pub(super) fn stored_segments(&mut self, table: TableId) -> Result<(Vec<LogKey>, Vec<PageKey>)> {
        let Some(definition) = self.catalog.find_id(table).cloned() else { return Ok(Default::default()) };
        let (mut manifests, mut pages) = (Vec::new(), Vec::new());
        for (_, partition) in self.partitions.iter_mut().filter(|(id, _)| id.table == table) {
            manifests.extend(partition.manifest());
            pages.extend(partition.page_keys(&definition)?);
        }
        manifests.sort_unstable();
        pages.sort_unstable();
        Ok((manifests, pages))
    }

    pub(super) fn set_catalog(&mut self, catalog: Arc<Catalog>) {
        self.partitions.retain(|id, _| catalog.contains_table_id(id.table));
        self.catalog = catalog;
    }

    /// Takes in what was committed since the last time.
    pub(super) fn apply_tail(&mut self, tail: Tail) -> Result<Taken> {
        if !tail.manifests.is_empty() || tail.damaged.iter().any(|damage| damage.key.starts_with("manifest/")) {
            return Ok(Taken::NeedsWhole);
        }
        self.apply(tail)?;
        Ok(Taken::All)
    }

    /// Takes in all that is stored; partitions that were not stored anew go on from what is known of them.
    pub(super) fn apply_whole(&mut self, mut tail: Tail) -> Result<()> {
        let mut anew: HashSet<PartitionId> = HashSet::new();
        for manifest in std::mem::take(&mut tail.manifests) {
            let Manifest { key, partition, .. } = &manifest;
            if self.partitions.get(partition).and_then(Partition::manifest) != Some(*key) {
                anew.insert(partition.clone());
                self.partitions.insert(partition.clone(), Partition::of_manifest(manifest, Arc::clone(&self.cache)));
            }
        }
        let known = self.meta.head;
        tail.log.retain(|record| record.key.commit > known || anew.contains(&record.partition));
        self.damaged.clear();
        self.apply(tail)
    }

    fn apply(&mut self, tail: Tail) -> Result<()> {
        let (definitions, rows): (Vec<Damage>, Vec<Damage>) = tail.damaged.into_iter().partition(|damage| damage.key.starts_with("catalog/"));
        if let Some(records) = &tail.catalog {
            let mut catalog = catalog::decode(records);
            definitions.iter().for_each(|damage| catalog.add_damaged(format!("{} ({})", damage.key, damage.what)));
            self.set_catalog(Arc::new(catalog));
        }
        self.damaged.extend(rows);
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
        self.cache.clear();
    }
}
