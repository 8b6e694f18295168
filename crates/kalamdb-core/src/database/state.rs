//! The stored database, as far as one instance has read it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kalamdb_store::{
    Damage, LogKey, LogRecord, Manifest, Meta, PageKey, PartitionId as StoredId, RecordKey, RecordKind, TableId, Tail,
};

use super::log_use::{Dying, Leaving, LogUse};
use super::owners::Owners;
use crate::catalog;
use crate::catalog::{Catalog, PartitionId, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::partition::Partition;
use crate::segment::PageCache;

/// The stored database, as far as one instance has read it.
#[derive(Debug)]
pub(crate) struct State {
    pub(super) meta: Meta,
    pub(super) catalog: Arc<Catalog>,
    pub(super) owners: Owners,
    partitions: HashMap<PartitionId, Partition>,
    /// The records of the log that are still needed.
    pub(super) log: LogUse,
    /// Records that do not decode.
    damaged: Vec<Damage>,
    pub(super) is_closed: bool,
    cache: Arc<PageCache>,
}

impl State {
    pub(super) fn new(cache: Arc<PageCache>) -> Self {
        Self {
            meta: Meta::default(),
            catalog: Arc::default(),
            owners: Owners::default(),
            partitions: HashMap::new(),
            log: LogUse::default(),
            damaged: Vec::new(),
            is_closed: false,
            cache,
        }
    }

    /// A partition of a table, which is empty if nothing was ever stored in it.
    ///
    /// # Errors
    /// `data_corrupted` if rows may be missing.
    pub(super) fn partition(&mut self, table: &Table, id: &PartitionId) -> Result<&mut Partition> {
        self.check_whole(table, id)?;
        Ok(self.partitions.entry(id.clone()).or_default())
    }

    /// # Errors
    /// `data_corrupted` if rows of a partition may be missing.
    pub(super) fn check_whole(&self, table: &Table, id: &PartitionId) -> Result<()> {
        let Some(damage) = self.damage_of(id) else { return Ok(()) };
        let message =
            format!("table {}: rows may be missing, as {} is damaged ({})", table.full_name(), damage.key, damage.what);
        Err(Error::new(ErrorKind::DataCorrupted, message)
            .with_hint("check() lists what is damaged, salvage() exports the rest"))
    }

    /// A partition, for rows that are committed: they are put in place though others may be missing.
    pub(super) fn partition_for_rows(&mut self, id: PartitionId) -> &mut Partition {
        self.partitions.entry(id).or_default()
    }

    /// A damaged record that may hold rows of a partition. One of which the partition is not known may hold rows of
    /// any.
    pub(super) fn damage_of(&self, id: &PartitionId) -> Option<&Damage> {
        let is_of = |stored: &StoredId| {
            stored.table == id.table
                && stored
                    .owner
                    .as_ref()
                    .is_none_or(|owner| id.user.as_deref().is_none_or(|user| self.owners.owner(user) == Some(owner)))
        };
        self.damaged.iter().find(|damage| damage.partition.as_ref().is_none_or(is_of))
    }

    /// Records of rows that do not decode.
    pub(super) fn damaged(&self) -> &[Damage] {
        &self.damaged
    }

    /// A partition, if this instance has read records of it.
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

    /// The partitions of a table that are not empty.
    pub(super) fn partitions_of(&self, table: TableId) -> impl Iterator<Item = (&PartitionId, &Partition)> {
        self.partitions.iter().filter(move |(id, _)| id.table == table)
    }

    /// All partitions that are not empty.
    pub(super) fn partitions(&self) -> impl Iterator<Item = (&PartitionId, &Partition)> {
        self.partitions.iter()
    }

    /// Every user that has rows.
    pub(super) fn users(&self) -> HashSet<&str> {
        self.partitions.keys().filter_map(|id| id.user.as_deref()).collect()
    }

    /// The parts of the log that hold rows of a table.
    pub(super) fn parts_of(&self, table: TableId) -> Vec<Dying> {
        self.partitions_of(table).flat_map(|(_, partition)| partition.parts()).collect()
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

    /// Goes on with the catalog that the commit of that number has written.
    pub(super) fn set_catalog(&mut self, catalog: Arc<Catalog>, commit: u64) {
        for (id, mut partition) in self.partitions.extract_if(|id, _| !catalog.contains_table_id(id.table)) {
            if let Some(table) = self.catalog.find_id(id.table) {
                partition.report_dropped(table, commit);
            }
            partition.parts().for_each(|part| self.log.die(part));
        }
        self.catalog = catalog;
    }

    /// Applies the commits since the last time.
    ///
    /// Rows that have gone from the log into segments since are not read again: they are where the manifest says.
    pub(super) fn apply(&mut self, tail: Tail) {
        let (definitions, rows): (Vec<Damage>, Vec<Damage>) =
            tail.damaged.into_iter().partition(|damage| damage.kind == RecordKind::Catalog);
        if let Some(records) = &tail.catalog {
            self.owners = Owners::of_catalog(records);
            let mut catalog = catalog::decode(records);
            definitions.iter().for_each(|damage| catalog.add_damaged(format!("{} ({})", damage.key, damage.what)));
            self.set_catalog(Arc::new(catalog), tail.meta.catalog_head);
        }
        self.damaged.extend(rows);
        for entry in &tail.entries {
            self.log.add_entry(entry.number);
            if entry.is_damaged {
                self.log.keep(entry.number);
            }
        }
        // In the order of the commits: what a manifest stores anew, or what comes on top of it.
        let mut manifests = tail.manifests.into_iter().peekable();
        for record in tail.log {
            while let Some(manifest) = manifests.next_if(|manifest| manifest.key < record.key) {
                self.take_manifest(manifest);
            }
            self.add_record(record);
        }
        manifests.for_each(|manifest| self.take_manifest(manifest));
        self.show(tail.meta);
    }

    fn take_manifest(&mut self, manifest: Manifest) {
        let Some(table) = self.catalog.find_id(manifest.partition.table).cloned() else { return };
        let Some(id) = self.owners.known(&manifest.partition) else {
            self.nobodys(&RecordKey::Manifest(manifest.key), &manifest.partition);
            return;
        };
        let partition = self.partitions.entry(id).or_default();
        let dead = partition.take_manifest(&table, manifest, Arc::clone(&self.cache), self.meta.head);
        dead.into_iter().for_each(|part| self.log.die(part));
    }

    fn add_record(&mut self, record: LogRecord) {
        let n_bytes = record.rows.len();
        if !self.catalog.contains_table_id(record.partition.table) {
            self.log.add_dead(record.key.commit, n_bytes);
            return;
        }
        let Some(id) = self.owners.known(&record.partition) else {
            self.log.keep(record.key.commit);
            self.nobodys(&RecordKey::Log(record.key.commit), &record.partition);
            return;
        };
        let partition = self.partitions.entry(id).or_default();
        if partition.has_flushed(record.key) {
            self.log.add_dead(record.key.commit, n_bytes);
        } else {
            self.log.add(record.key, n_bytes);
            partition.add_pending(record);
        }
    }

    /// Makes a commit of this instance visible, unless it has come in from the log already. `swap` puts in place what
    /// the commit has stored. It cannot fail: the commit is durable, and a head that stays behind would read it from
    /// the log, on top of what has been put in place.
    pub(super) fn publish(&mut self, base: u64, meta: Meta, leaving: &Leaving, swap: impl FnOnce(&mut Self)) {
        if self.meta.head != base {
            return;
        }
        swap(self);
        self.log.left(leaving);
        self.log.add_entry(meta.head);
        self.show(meta);
    }

    /// All commits up to that head are in place, and visible from here on, whichever way they came.
    fn show(&mut self, meta: Meta) {
        self.meta = meta;
    }

    /// Takes note of a record of which it is not known whose it is, as the catalog does not name its owner.
    fn nobodys(&mut self, key: &RecordKey, partition: &StoredId) {
        // It may be that of any user.
        let partition = StoredId { table: partition.table, owner: None };
        self.damaged.push(Damage::of(key, "the catalog does not say whose it is", Some(partition)));
    }

    /// Forgets all rows.
    pub(super) fn clear(&mut self) {
        self.partitions.clear();
        self.catalog = Arc::default();
        self.cache.clear();
    }
}
