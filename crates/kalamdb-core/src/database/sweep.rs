use kalamdb_store::{Commit, LogKey, Manifest, Meta, PartitionId, StoreError};

use super::Database;
use crate::catalog::TableKind;
use crate::error::Result;
use crate::jobs::JobKind;
use crate::segment::{Contents, encode_manifest};

impl Database {
    /// Whether there are streams, whose events end by themselves.
    pub fn has_streams(&self) -> bool {
        self.catalog().tables().any(|table| table.kind == TableKind::Stream)
    }

    /// Frees the events of streams that are over, in memory and in the store; returns how many.
    ///
    /// Events that are over are invisible without it. If another tab commits meanwhile, nothing is done: there will be another
    /// sweep.
    ///
    /// # Errors
    /// The store's.
    pub async fn sweep(&self) -> Result<usize> {
        self.check_open()?;
        let _turn = self.turn_alone().await?;
        self.refresh().await?;
        let over = self.events_over();
        if over.is_empty() {
            return Ok(0);
        }
        let base = self.meta();
        let meta = Meta { head: base.head + 1, ..base.clone() };
        let drop_log: Vec<LogKey> = over.iter().flat_map(|(_, keys, _)| keys.iter().copied()).collect();
        let commit = Commit { base: base.head, meta: meta.clone(), drop_log, makes_room: true, durability: self.durability(), ..Commit::default() };
        match self.store.commit(&commit).await {
            Ok(()) => {}
            Err(StoreError::Conflict { .. } | StoreError::Indeterminate { .. }) => {
                self.catch_up().await?;
                return Ok(0);
            }
            Err(error) => return Err(error.into()),
        }
        let now_us = self.now_us();
        over.iter().for_each(|(id, _, n_rows)| self.note_evicted(id, *n_rows));
        let mut state = self.state.borrow_mut();
        let mut freed = 0;
        for (id, keys, n_rows) in over {
            freed += n_rows;
            let Some(table) = state.catalog.find_id(id.table).cloned() else { continue };
            state.partition(&table, &id)?.forget(&table, &keys, now_us, meta.head)?;
        }
        if state.meta.head == base.head {
            state.meta = meta;
        }
        Ok(freed)
    }

    /// Frees the older half of the events of all streams, as there is no room for something else; false if nothing could be freed.
    ///
    /// A manifest, which names no segment, tells every tab to read anew what is left of a partition. Only who has the turn to write
    /// may call it.
    pub(crate) async fn evict_events(&self) -> bool {
        let base = self.meta();
        let head = base.head + 1;
        let meta = Meta { head, manifest_head: head, ..base.clone() };
        let mut commit = Commit { base: base.head, meta, makes_room: true, durability: self.durability(), ..Commit::default() };
        let mut evicted = Vec::new();
        {
            let state = self.state.borrow();
            let streams = state.catalog.tables().filter(|table| table.kind == TableKind::Stream);
            for (table, id, partition) in streams.flat_map(|table| state.partitions_of(table.id).map(move |(id, partition)| (table, id, partition))) {
                let (keys, n_rows) = partition.older_half();
                let contents = Contents { changed_at: head, ..Contents::default() };
                let (Ok(part), Ok(body), false) = (u32::try_from(evicted.len()), encode_manifest(table, &contents), keys.is_empty()) else {
                    continue;
                };
                commit.drop_log.extend(keys);
                commit.drop_manifests.extend(partition.manifest());
                commit.put_manifests.push(Manifest { key: LogKey { commit: head, part }, partition: id.clone(), body });
                evicted.push((id.clone(), n_rows));
            }
        }
        if evicted.is_empty() {
            return false;
        }
        match self.store.commit(&commit).await {
            Ok(()) => evicted.iter().for_each(|(id, n_rows)| self.note_evicted(id, *n_rows)),
            // Whatever was committed is read, and what had no room is tried again.
            Err(StoreError::Conflict { .. } | StoreError::Indeterminate { .. }) => {}
            Err(_) => return false,
        }
        self.catch_up().await.is_ok()
    }

    fn note_evicted(&self, id: &PartitionId, n_rows: usize) {
        let now_us = self.now_us();
        let mut jobs = self.jobs.borrow_mut();
        let job = jobs.begin(JobKind::Evict, id.clone(), now_us);
        jobs.finish(job, &Ok(n_rows), now_us);
    }

    /// For each partition of a stream, the log records of which all events are over, and how many events those are.
    fn events_over(&self) -> Vec<(PartitionId, Vec<LogKey>, usize)> {
        let (state, now_us) = (self.state.borrow(), self.now_us());
        let streams = state.catalog.tables().filter(|table| table.kind == TableKind::Stream);
        let partitions = streams.flat_map(|table| state.partitions_of(table.id).map(move |(id, partition)| (table, id, partition)));
        partitions
            .map(|(table, id, partition)| {
                let (keys, n_rows) = partition.records_over(&table.options, now_us);
                (id.clone(), keys, n_rows)
            })
            .filter(|(_, keys, _)| !keys.is_empty())
            .collect()
    }
}
