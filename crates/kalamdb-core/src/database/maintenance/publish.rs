//! Commits a rewrite of a partition's rows and swaps it in, or drops it if others have changed the partition.

use std::sync::Arc;

use kalamdb_store::{Commit, LogKey, Manifest, Meta};

use super::segments::{BuiltSegments, build};
use crate::call::CallContext;
use crate::catalog::{PartitionId, Table, is_kept_in_segments};
use crate::database::{CommitOutcome, Database, JobKind, Races};
use crate::error::{Error, ErrorKind, Result};
use crate::partition::{CompactionInput, CompactionPlan, Partition, Unflushed};
use crate::segment::{StoredSegment, encode_manifest};

/// How often the commit of new segments is tried again because others committed first.
const MAX_ATTEMPTS: usize = 50;

impl Database {
    /// Flushes or merges the chosen chunks of a partition into segments, and returns the number of their rows.
    ///
    /// Statements run meanwhile; the marks of the new segments include their changes. One commit puts the new segments
    /// and the manifest that names them, and removes the records that they replace, so that each row is stored once at
    /// any moment. Nothing is done if another tab has flushed or merged the partition meanwhile.
    ///
    /// # Errors
    /// The store's; `data_corrupted`; `query_canceled`.
    pub(crate) async fn rewrite(
        &self,
        id: &PartitionId,
        kind: JobKind,
        plan: &CompactionPlan,
        call: &CallContext,
    ) -> Result<usize> {
        self.check_open()?;
        let job = self.jobs.borrow_mut().begin(kind, id.clone(), self.now_us());
        let token = job;
        let freezing = CompactionGuard { database: self, id, token };
        let outcome = self.rewrite_frozen(id, plan, token, call).await;
        drop(freezing);
        self.jobs.borrow_mut().finish(job, &outcome, self.now_us());
        outcome
    }

    async fn rewrite_frozen(
        &self,
        id: &PartitionId,
        plan: &CompactionPlan,
        token: u64,
        call: &CallContext,
    ) -> Result<usize> {
        let freeze = async || {
            // As it is now: it may have been altered while pages were read.
            let Some(table) = self.catalog().find_id(id.table).cloned() else { return Ok(None) };
            let inputs = self.with_partition(&table, id, |partition| partition.freeze(&table, plan, token))?;
            Ok(inputs.map(|inputs| (table, inputs)))
        };
        let Some((table, inputs)) = self.with_pages(true, freeze).await? else { return Ok(0) };
        let table = &table;
        let keep_since_us = self.keep_deleted_since_us(table);
        // Rows that are stored have an owner.
        let Some(stored_id) = self.stored_id(id) else { return Ok(0) };
        let made = match build(self, table, &stored_id, &inputs, keep_since_us, call).await {
            // Somebody else has stored the partition anew.
            Err(error) if error.retry().is_some() => return Ok(0),
            made => made?,
        };
        let n_rows = inputs.iter().map(|input| input.chunk.n_rows()).sum();
        Ok(if self.publish(table, id, &inputs, made, token).await? { n_rows } else { 0 })
    }

    /// Commits new segments, unless the partition or its table is another by now.
    async fn publish(
        &self,
        table: &Arc<Table>,
        id: &PartitionId,
        inputs: &[CompactionInput],
        mut made: BuiltSegments,
        token: u64,
    ) -> Result<bool> {
        let mut numbered_from = 0;
        let mut races = Races::default();
        for _ in 0..MAX_ATTEMPTS {
            races.before_another(self).await;
            let _turn = self.turn_alone().await?;
            self.refresh().await?;
            let base = self.meta();
            let Some(current) = self.catalog().find_id(table.id).cloned() else { return Ok(false) };
            if !self.is_frozen_by(id, token) {
                return Ok(false);
            }
            made.number_from(base.next_id - numbered_from)?;
            numbered_from = base.next_id;
            let rewritten = self.with_pages(true, async || {
                self.with_partition(&current, id, |partition| partition.rewritten(&current, inputs, &made.outputs))
            });
            let (contents, dying) = rewritten.await?;
            let mut leaving = self.leaving(&dying);
            let shrink_log = self.shrunk(&mut leaving).await?;
            let Some(stored_id) = self.stored_id(id) else { return Ok(false) };
            let head = base.head + 1;
            let key = LogKey { commit: head, part: 0 };
            let meta =
                Meta { head, manifest_head: head, next_id: base.next_id + made.outputs.len() as u64, ..base.clone() };
            let manifest = Manifest { key, partition: stored_id, body: encode_manifest(&current, &contents)? };
            let old = inputs.iter().filter_map(|input| input.chunk.segment());
            let n_bytes_made: usize = made.pages.iter().map(|page| page.values.len()).sum();
            let n_bytes_gone: u64 = old.clone().map(|columns| columns.segment.n_bytes()).sum();
            let commit = Commit {
                base: base.head,
                // Rows are smaller in segments than in the log.
                makes_room: !dying.is_empty() || (n_bytes_made as u64) < n_bytes_gone,
                meta: meta.clone(),
                nonce: self.random()?,
                drop_log: leaving.drop.clone(),
                shrink_log,
                put_pages: std::mem::take(&mut made.pages),
                drop_pages: old.clone().flat_map(|columns| columns.segment.page_keys()).collect(),
                drop_manifests: self
                    .state
                    .borrow()
                    .existing(id)
                    .and_then(|partition| partition.manifest())
                    .into_iter()
                    .collect(),
                put_manifests: vec![manifest],
                durability: self.durability(),
                ..Commit::default()
            };
            if self.meta().head != base.head || !self.is_frozen_by(id, token) {
                // Somebody read on while pages were read.
                made.pages = commit.put_pages;
                continue;
            }
            match self.store_commit(&base, &commit).await? {
                CommitOutcome::Stored => {}
                CommitOutcome::Conflict => {
                    made.pages = commit.put_pages;
                    self.catch_up().await?;
                    continue;
                }
                // Whatever has become of it, the store knows.
                CommitOutcome::Unclear(_) => {
                    self.catch_up().await?;
                    if self.state.borrow().existing(id).is_some_and(|partition| partition.manifest() == Some(key)) {
                        return Ok(true);
                    }
                    made.pages = commit.put_pages;
                    continue;
                }
                CommitOutcome::Full(error) => return Err(error),
            }
            self.state.borrow_mut().publish(base.head, meta, &leaving, |state| {
                dying.into_iter().for_each(|part| state.log.die(part));
                let cache = self.pages.cache();
                old.for_each(|columns| cache.forget(columns.segment.id));
                for (key, column) in made.columns {
                    cache.add_page(key, column);
                }
                state.partition_for_rows(id.clone()).replace(&current, inputs, contents, key, cache);
            });
            return Ok(true);
        }
        Err(Error::new(ErrorKind::SerializationFailure, "other tabs kept committing first")
            .with_hint("it is tried again later"))
    }

    /// Whether chunks of a partition are being flushed or merged.
    pub(crate) fn is_frozen(&self, id: &PartitionId) -> bool {
        self.state.borrow().existing(id).is_some_and(Partition::is_frozen)
    }

    /// Whether the chunks that were frozen under that token are still where they were.
    fn is_frozen_by(&self, id: &PartitionId, token: u64) -> bool {
        self.state.borrow().existing(id).is_some_and(|partition| partition.is_frozen_by(token))
    }

    pub(crate) async fn pause(&self) {
        self.clock.pause().await;
    }

    /// The segments of a partition.
    pub(crate) fn segments_of(&self, table: &Arc<Table>, id: &PartitionId) -> Result<Vec<StoredSegment>> {
        self.with_partition(table, id, |partition| partition.stored_segments(table))
    }

    /// Calls `each` with each partition that has rows in the log.
    pub(crate) fn each_unflushed(&self, mut each: impl FnMut(&Arc<Table>, &PartitionId, Unflushed)) {
        let state = self.state.borrow();
        for (id, partition) in state.partitions().filter(|(id, _)| state.damage_of(id).is_none()) {
            let Some(table) = state.catalog.find_id(id.table).filter(|table| is_kept_in_segments(table)) else {
                continue;
            };
            if let Some(unflushed) = partition.unflushed() {
                each(table, id, unflushed);
            }
        }
    }

    /// The partitions whose segments have been looked at.
    pub(crate) fn partitions_with_loaded_segments(&self) -> Vec<(Arc<Table>, PartitionId)> {
        let state = self.state.borrow();
        let known = state.partitions().filter(|(_, partition)| partition.has_known_segments());
        known.filter_map(|(id, _)| Some((Arc::clone(state.catalog.find_id(id.table)?), id.clone()))).collect()
    }
}

/// Thaws a partition in the end, also if the job is given up in the middle.
struct CompactionGuard<'a> {
    database: &'a Database,
    id: &'a PartitionId,
    token: u64,
}

impl Drop for CompactionGuard<'_> {
    fn drop(&mut self) {
        if let Some(partition) = self.database.state.borrow_mut().existing_mut(self.id) {
            partition.thaw(self.token);
        }
    }
}
