//! Removes expired events of streams, and unneeded records of the log.

use kalamdb_store::{Commit, LogKey, Manifest, Meta};

use crate::catalog::{PartitionId, TableKind};
use crate::database::{CommitOutcome, Database, Dying, JobKind, Leaving};
use crate::error::Result;
use crate::segment::{Contents, encode_manifest};

impl Database {
    /// Whether there are streams, whose events expire.
    pub fn has_streams(&self) -> bool {
        self.catalog().tables().any(|table| table.kind == TableKind::Stream)
    }

    /// Frees the events of streams that are over, in memory and in the store; returns how many.
    ///
    /// Events that are over are invisible without it. If another tab commits meanwhile, nothing is done: there will be
    /// another sweep.
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
        let mut meta = base.clone();
        let dying: Vec<Dying> = over.iter().flat_map(|(_, parts, _)| parts.iter().copied()).collect();
        let mut leaving = self.leaving(&dying);
        // Events that share a record with rows that count stay where they are until those go: nobody sees them.
        leaving.shrink.clear();
        if !leaving.drop.is_empty() {
            let commit = self.trimming(&base, &leaving)?;
            meta.clone_from(&commit.meta);
            match self.store_commit(&base, &commit).await? {
                CommitOutcome::Stored => {}
                CommitOutcome::Conflict | CommitOutcome::Unclear(_) => {
                    self.catch_up().await?;
                    return Ok(0);
                }
                CommitOutcome::Full(error) => return Err(error),
            }
        }
        let now_us = self.now_us();
        over.iter().for_each(|(id, _, n_rows)| self.note_evicted(id, *n_rows));
        let mut state = self.state.borrow_mut();
        dying.into_iter().for_each(|part| state.log.die(part));
        let head = meta.head;
        if head > base.head {
            state.publish(base.head, meta, &leaving, |_| ());
        }
        let mut freed = 0;
        for (id, parts, n_rows) in over {
            freed += n_rows;
            let Some(table) = state.catalog.find_id(id.table).cloned() else { continue };
            let Some(partition) = state.existing_mut(&id) else { continue };
            partition.forget(&table, &parts, now_us, head);
        }
        Ok(freed)
    }

    /// Frees the older half of the events of all streams, as there is no room for something else; false if nothing
    /// could be freed.
    ///
    /// A manifest without segments tells every tab to read the rest of a partition again. Only the holder of the
    /// turn to write may call it.
    pub(crate) async fn evict_events(&self) -> bool {
        let base = self.meta();
        let head = base.head + 1;
        let meta = Meta { head, manifest_head: head, ..base.clone() };
        let Ok(nonce) = self.random() else { return false };
        let mut commit = Commit {
            base: base.head,
            nonce,
            meta,
            makes_room: true,
            durability: self.durability(),
            ..Commit::default()
        };
        let (mut evicted, mut dying) = (Vec::new(), Vec::new());
        {
            let state = self.state.borrow();
            let streams = state.catalog.tables().filter(|table| table.kind == TableKind::Stream);
            for (table, id, partition) in streams
                .flat_map(|table| state.partitions_of(table.id).map(move |(id, partition)| (table, id, partition)))
            {
                let (parts, n_rows) = partition.oldest_half_of_log();
                let (Some((first, _)), Some((last, _)), Some(stored_id)) =
                    (parts.first(), parts.last(), state.owners.stored(id))
                else {
                    continue;
                };
                let contents = Contents {
                    changed_at: head,
                    flushed_from: Some(*first),
                    flushed_through: Some(*last),
                    ..Contents::default()
                };
                let (Ok(part), Ok(body)) = (u32::try_from(evicted.len()), encode_manifest(table, &contents)) else {
                    continue;
                };
                commit.drop_manifests.extend(partition.manifest());
                commit.put_manifests.push(Manifest { key: LogKey { commit: head, part }, partition: stored_id, body });
                dying.extend(parts);
                evicted.push((id.clone(), n_rows));
            }
        }
        if evicted.is_empty() {
            return false;
        }
        commit.drop_log = self.leaving(&dying).drop;
        match self.store_commit(&base, &commit).await {
            Ok(CommitOutcome::Stored) => evicted.iter().for_each(|(id, n_rows)| self.note_evicted(id, *n_rows)),
            // Whatever was committed is read, and what had no room is tried again.
            Ok(CommitOutcome::Conflict | CommitOutcome::Unclear(_)) => {}
            Ok(CommitOutcome::Full(_)) | Err(_) => return false,
        }
        self.catch_up().await.is_ok()
    }

    /// The bytes and the number of the log records that are no longer needed.
    pub(crate) fn log_waste(&self) -> (usize, usize) {
        self.state.borrow().log.waste()
    }

    /// Removes the records of the log that nobody needs. If another tab commits meanwhile, nothing is done: it is due
    /// the next time.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn trim_log(&self) -> Result<()> {
        let _turn = self.turn_alone().await?;
        self.refresh().await?;
        let (base, leaving) = (self.meta(), self.leaving(&[]));
        let commit = self.trimming(&base, &leaving)?;
        match self.store_commit(&base, &commit).await? {
            CommitOutcome::Stored => {}
            CommitOutcome::Conflict | CommitOutcome::Unclear(_) => return self.catch_up().await.map(drop),
            CommitOutcome::Full(error) => return Err(error),
        }
        self.state.borrow_mut().publish(base.head, commit.meta, &leaving, |_| ());
        Ok(())
    }

    /// A commit that does nothing but remove records of the log.
    fn trimming(&self, base: &Meta, leaving: &Leaving) -> Result<Commit> {
        Ok(Commit {
            base: base.head,
            nonce: self.random()?,
            meta: Meta { head: base.head + 1, ..base.clone() },
            drop_log: leaving.drop.clone(),
            makes_room: true,
            durability: self.durability(),
            ..Commit::default()
        })
    }

    fn note_evicted(&self, id: &PartitionId, n_rows: usize) {
        let now_us = self.now_us();
        let mut jobs = self.jobs.borrow_mut();
        let job = jobs.begin(JobKind::Evict, id.clone(), now_us);
        jobs.finish(job, &Ok(n_rows), now_us);
    }

    /// For each partition of a stream, the parts of the log of which all events are over, and how many events those
    /// are.
    fn events_over(&self) -> Vec<(PartitionId, Vec<Dying>, usize)> {
        let (state, now_us) = (self.state.borrow(), self.now_us());
        let streams = state.catalog.tables().filter(|table| table.kind == TableKind::Stream);
        let partitions =
            streams.flat_map(|table| state.partitions_of(table.id).map(move |(id, partition)| (table, id, partition)));
        partitions
            .map(|(table, id, partition)| {
                let (parts, n_rows) = partition.expired_parts(&table.options, now_us);
                (id.clone(), parts, n_rows)
            })
            .filter(|(_, parts, _)| !parts.is_empty())
            .collect()
    }
}
