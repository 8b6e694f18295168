use std::collections::HashSet;

use kalamdb_store::{Commit, LogKey, Meta, PartitionId, StoreError};

use super::Database;
use crate::catalog::TableKind;
use crate::error::Result;
use crate::jobs::JobKind;

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
        let commit = Commit { base: base.head, meta: meta.clone(), drop_log, durability: self.durability(), ..Commit::default() };
        match self.store.commit(&commit).await {
            Ok(()) => {}
            Err(StoreError::Conflict { .. } | StoreError::Indeterminate { .. }) => {
                self.catch_up().await?;
                return Ok(0);
            }
            Err(error) => return Err(error.into()),
        }
        let now_us = self.now_us();
        for (id, _, n_rows) in &over {
            let job = self.jobs.borrow_mut().begin(JobKind::Evict, id.clone(), now_us);
            self.jobs.borrow_mut().finish(job, &Ok(*n_rows), now_us);
        }
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
    /// Only who has the turn to write may call it.
    pub(crate) async fn evict_events(&self) -> bool {
        let base = self.meta();
        let (mut partitions, mut drop_log) = (HashSet::new(), Vec::new());
        {
            let state = self.state.borrow();
            for table in state.catalog.tables().filter(|table| table.kind == TableKind::Stream) {
                for (id, partition) in state.partitions_of(table.id) {
                    let keys: Vec<LogKey> = partition.log_keys().collect();
                    if !keys.is_empty() {
                        drop_log.extend(keys.iter().take(keys.len().div_ceil(2)));
                        partitions.insert(id.clone());
                    }
                }
            }
        }
        if drop_log.is_empty() {
            return false;
        }
        let meta = Meta { head: base.head + 1, ..base.clone() };
        let n_records = drop_log.len();
        let commit = Commit { base: base.head, meta, drop_log, durability: self.durability(), ..Commit::default() };
        // If others have committed, the statement runs again anyway.
        let freed = match self.store.commit(&commit).await {
            Ok(()) => true,
            Err(StoreError::Conflict { .. } | StoreError::Indeterminate { .. }) => false,
            Err(_) => return false,
        };
        let Ok(whole) = self.store.read_since(None).await else { return false };
        for id in &partitions {
            let now_us = self.now_us();
            let job = self.jobs.borrow_mut().begin(JobKind::Evict, id.clone(), now_us);
            self.jobs.borrow_mut().finish(job, &Ok(n_records), now_us);
        }
        let mut state = self.state.borrow_mut();
        state.meta.head > whole.meta.head || state.apply_whole_anew(whole, partitions).is_ok() && freed
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
