//! The choice of the next maintenance job, and the limits that trigger it.

use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::TimestampMicrosecondType;

use crate::call::CallContext;
use crate::catalog::{FlushPolicy, PartitionId, Table};
use crate::database::{Database, JobKind};
use crate::error::{ErrorKind, Result};
use crate::partition::{CompactionPlan, Unflushed};
use crate::segment::{SEGMENT_BYTES, SEGMENT_ROWS, StoredSegment, UPDATED};

/// Rows in the log at which a partition is flushed, unless its table sets FLUSH_POLICY.
const DEFAULT_FLUSH_ROWS: u64 = 10_000;

/// Rows in the log at which a partition is flushed when the page is hidden.
const HIDDEN_FLUSH_ROWS: u64 = 1_000;

/// Rows in the log of a database at which its largest partition is flushed: opening reads the whole log.
const MAX_LOG_ROWS: usize = 100_000;

/// Bytes in the log of a database at which its largest partition is flushed: 64 MiB.
const MAX_LOG_BYTES: usize = 64 << 20;

/// Bytes in the log at which a partition is flushed, whatever FLUSH_POLICY its table has: 32 MiB.
const FLUSH_BYTES: usize = 32 << 20;

/// The most memory that segments merged at once may take: 256 MiB.
const COMPACT_BYTES: usize = 256 << 20;

/// The number of segments of about one size that are merged.
const MERGED_SEGMENTS: usize = 4;

/// Segments of up to this many rows are in the first tier. Each further tier is four times as large.
const FIRST_TIER_ROWS: usize = 1024;

/// The interval between searches for expired tombstones, in microseconds: ten minutes.
const RETENTION_INTERVAL_US: i64 = 600_000_000;

/// The interval between checks of the reserve, in microseconds: ten seconds.
const RESERVE_INTERVAL_US: i64 = 10_000_000;

/// The number of unneeded log records, or their bytes (8 MiB), at which they are removed.
const MAX_UNNEEDED: usize = 1000;
const MAX_UNNEEDED_BYTES: usize = 8 << 20;

/// The interval between searches for pages that no manifest names, in microseconds: one hour.
const ORPHANS_INTERVAL_US: i64 = 3_600_000_000;

/// The pause of flush and compaction after `disk_full`, in microseconds: half a minute.
const FULL_INTERVAL_US: i64 = 30_000_000;

/// What sets maintenance off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaintenanceTrigger {
    /// The engine has no other work.
    Idle,
    /// The page is hidden, and may be closed soon.
    Hidden,
}

/// A job that is due.
#[derive(Debug)]
struct Due {
    partition: PartitionId,
    kind: JobKind,
    plan: CompactionPlan,
}

impl Database {
    /// Runs one job that is due: evicts events, flushes a partition, or merges segments. Returns whether more may be
    /// due. Several tabs may call it at once; that is safe, but wasteful.
    ///
    /// # Errors
    /// The store's; `data_corrupted`.
    pub async fn maintain(&self, trigger: MaintenanceTrigger) -> Result<bool> {
        self.check_open()?;
        if self.has_streams() {
            self.sweep().await?;
        }
        if !self.full_interval().has_passed(self.now_us(), FULL_INTERVAL_US) {
            return Ok(false);
        }
        self.refresh().await?;
        let due = match self.flush_due(trigger) {
            Some(due) => Some(due),
            None if trigger == MaintenanceTrigger::Hidden => None,
            None => match self.compaction_due()? {
                Some(due) => Some(due),
                None => self.retention_due().await?,
            },
        };
        let Some(due) = due else {
            if trigger == MaintenanceTrigger::Idle {
                self.look_after_storage().await?;
            }
            return Ok(false);
        };
        let done = self.rewrite(&due.partition, due.kind, &due.plan, &CallContext::default()).await;
        if done.as_ref().is_err_and(|error| error.kind() == ErrorKind::DiskFull) {
            self.full_interval().begin(self.now_us());
        }
        // What could not be done now, as somebody else is at it, is due the next time again.
        Ok(done? > 0)
    }

    /// Housekeeping while no job is due: the reserve, unneeded log records, unnamed pages.
    async fn look_after_storage(&self) -> Result<()> {
        let now_us = self.now_us();
        if self.reserve_interval().has_passed(now_us, RESERVE_INTERVAL_US) {
            self.reserve_interval().begin(now_us);
            // Where there is no room for a reserve it is too late, and there is nothing to be done.
            drop(self.store().keep_reserve(self.known_stored_bytes()).await);
        }
        let (n_bytes, n_records) = self.log_waste();
        if n_records >= MAX_UNNEEDED || n_bytes >= MAX_UNNEEDED_BYTES {
            self.trim_log().await?;
        }
        if self.orphans_interval().has_passed(now_us, ORPHANS_INTERVAL_US) {
            self.orphans_interval().begin(now_us);
            self.collect_orphans().await?;
        }
        Ok(())
    }

    /// Flushes all rows of a partition from the log into segments; returns their number.
    ///
    /// # Errors
    /// As [`Database::maintain`]; `query_canceled`.
    pub(crate) async fn flush(&self, partition: &PartitionId, call: &CallContext) -> Result<usize> {
        let mut flushed = 0;
        loop {
            let n_rows = self.rewrite(partition, JobKind::Flush, &CompactionPlan::Log, call).await?;
            flushed += n_rows;
            if n_rows == 0 && !self.is_frozen(partition) {
                return Ok(flushed);
            }
            // Another job of this instance is at it.
            self.pause().await;
        }
    }

    /// Merges all segments of a partition, without superseded rows and expired tombstones. Returns how many rows they
    /// had.
    ///
    /// # Errors
    /// As [`Database::flush`].
    pub(crate) async fn compact(&self, partition: &PartitionId, call: &CallContext) -> Result<usize> {
        self.flush(partition, call).await?;
        let Some(table) = self.catalog().find_id(partition.table).cloned() else { return Ok(0) };
        let table = &table;
        let since_us = self.keep_deleted_since_us(table);
        let mut n_merged = 0;
        for segments in groups(self.segments_of(table, partition)?) {
            let n_dead: usize = segments.iter().map(|stored| n_rows(stored) - n_current(stored)).sum();
            if let ([only], 0) = (segments.as_slice(), n_dead)
                && !self.has_expired(table, only, since_us).await?
            {
                continue;
            }
            let plan = CompactionPlan::Segments(segments.iter().map(|stored| stored.segment.id).collect());
            n_merged += self.rewrite(partition, JobKind::Compact, &plan, call).await?;
        }
        Ok(n_merged)
    }

    /// Flushes partitions until no flush is due.
    ///
    /// # Errors
    /// As [`Database::maintain`].
    pub(crate) async fn shorten_log(&self) -> Result<()> {
        let call = CallContext::default();
        while let Some(due) = self.flush_due(MaintenanceTrigger::Idle) {
            if self.rewrite(&due.partition, due.kind, &due.plan, &call).await? > 0 {
                continue;
            }
            if !self.is_frozen(&due.partition) {
                // Another tab does it.
                return Ok(());
            }
            // Another job of this instance is.
            self.pause().await;
        }
        Ok(())
    }

    fn flush_due(&self, trigger: MaintenanceTrigger) -> Option<Due> {
        let now_us = self.now_us();
        let (mut rows, mut bytes, mut due) = (0, 0, None);
        let (mut most_rows, mut most_bytes) = (None::<(usize, PartitionId)>, None::<(usize, PartitionId)>);
        let is_more =
            |most: &Option<(usize, PartitionId)>, than: usize| most.as_ref().is_none_or(|(most, _)| than > *most);
        self.each_unflushed(|table, partition, unflushed| {
            rows += unflushed.n_rows;
            bytes += unflushed.n_bytes;
            if is_more(&most_rows, unflushed.n_rows) {
                most_rows = Some((unflushed.n_rows, partition.clone()));
            }
            if is_more(&most_bytes, unflushed.n_bytes) {
                most_bytes = Some((unflushed.n_bytes, partition.clone()));
            }
            if due.is_none() && is_due(table.options.flush_policy, trigger, unflushed, now_us) {
                due = Some(partition.clone());
            }
        });
        let most_bytes = most_bytes.filter(|_| bytes > MAX_LOG_BYTES);
        let most_rows = most_rows.filter(|_| rows > MAX_LOG_ROWS);
        let due = due.or_else(|| most_bytes.or(most_rows).map(|(_, partition)| partition));
        due.map(|partition| Due { partition, kind: JobKind::Flush, plan: CompactionPlan::Log })
    }

    /// The segments of the smallest size of which there are enough to be merged; or one most of which is superseded.
    fn compaction_due(&self) -> Result<Option<Due>> {
        for (table, partition) in self.partitions_with_loaded_segments() {
            // Whoever reads a partition that is damaged is told.
            let Ok(segments) = self.segments_of(&table, &partition) else { continue };
            let is_sparse = |stored: &&StoredSegment| n_current(stored) * 2 < n_rows(stored);
            let mut chosen: Vec<u64> =
                segments.iter().filter(is_sparse).map(|stored| stored.segment.id).take(MERGED_SEGMENTS).collect();
            if chosen.is_empty() {
                let is_small = |stored: &&StoredSegment| {
                    n_current(stored) * 2 <= SEGMENT_ROWS && stored.segment.memory() * 2 <= SEGMENT_BYTES
                };
                let small: Vec<&StoredSegment> = segments.iter().filter(is_small).collect();
                let tiers = small.iter().map(|stored| tier(n_current(stored)));
                let full = tiers
                    .filter(|wanted| {
                        small.iter().filter(|stored| tier(n_current(stored)) == *wanted).count() >= MERGED_SEGMENTS
                    })
                    .min();
                let of_size = small.into_iter().filter(|stored| Some(tier(n_current(stored))) == full);
                chosen = groups(of_size.cloned().collect())
                    .into_iter()
                    .next()
                    .unwrap_or_default()
                    .iter()
                    .map(|stored| stored.segment.id)
                    .collect();
            }
            if !chosen.is_empty() {
                return Ok(Some(Due { partition, kind: JobKind::Compact, plan: CompactionPlan::Segments(chosen) }));
            }
        }
        Ok(None)
    }

    /// A segment with tombstones that are past their table's retention. Those in the log go when their rows are
    /// flushed.
    async fn retention_due(&self) -> Result<Option<Due>> {
        let now_us = self.now_us();
        if !self.retention_interval().has_passed(now_us, RETENTION_INTERVAL_US) {
            return Ok(None);
        }
        self.retention_interval().begin(now_us);
        for (table, partition) in self.partitions_with_loaded_segments() {
            let since_us = self.keep_deleted_since_us(&table);
            for stored in self.segments_of(&table, &partition).unwrap_or_default() {
                if self.has_expired(&table, &stored, since_us).await? {
                    self.retention_interval().end();
                    let plan = CompactionPlan::Segments(vec![stored.segment.id]);
                    return Ok(Some(Due { partition, kind: JobKind::Retention, plan }));
                }
            }
        }
        Ok(None)
    }

    /// Tombstones written before this time are past their table's retention.
    pub(crate) fn keep_deleted_since_us(&self, table: &Table) -> i64 {
        match table.retention_hours() {
            None | Some(0) => i64::MIN,
            Some(hours) => self.now_us().saturating_sub(i64::from(hours) * 3_600_000_000),
        }
    }

    /// Whether a segment has a tombstone that counts and was written before a time.
    async fn has_expired(&self, table: &Arc<Table>, stored: &StoredSegment, since_us: i64) -> Result<bool> {
        let Some(deleted) = &stored.marks.deleted else { return Ok(false) };
        let bounds = stored.segment.column(UPDATED).and_then(|column| column.bounds.as_ref());
        let oldest =
            bounds.and_then(|bounds| bounds.as_primitive_opt::<TimestampMicrosecondType>()?.values().first().copied());
        if oldest.is_some_and(|oldest| oldest >= since_us) {
            return Ok(false);
        }
        let Some(page) = stored.segment.page(table, UPDATED) else { return Ok(false) };
        let key = page.key;
        let _pins = match self.pages().load(&[page]).await {
            Ok(pins) => pins,
            // Another tab has stored it anew.
            Err(error) if error.retry().is_some() => return Ok(false),
            Err(error) => return Err(error),
        };
        let Some(updated) = self.pages().cache().page(key) else { return Ok(false) };
        let Some(updated) = updated.as_primitive_opt::<TimestampMicrosecondType>() else { return Ok(false) };
        let is_current = |row: usize| stored.marks.current.as_ref().is_none_or(|current| current.value(row));
        Ok(updated
            .values()
            .iter()
            .enumerate()
            .any(|(row, updated_us)| *updated_us < since_us && deleted.value(row) && is_current(row)))
    }
}

fn is_due(policy: FlushPolicy, trigger: MaintenanceTrigger, unflushed: Unflushed, now_us: i64) -> bool {
    let FlushPolicy { rows: limit, interval_secs } = policy;
    let Unflushed { n_rows, n_bytes, oldest_us } = unflushed;
    let (rows, age_us) = (n_rows as u64, now_us.saturating_sub(oldest_us));
    let by_rows = match (limit, interval_secs) {
        (Some(limit), _) => rows >= limit,
        (None, Some(_)) => false,
        (None, None) => rows >= DEFAULT_FLUSH_ROWS,
    };
    let by_age = interval_secs
        .is_some_and(|seconds| age_us >= i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000));
    let by_trigger = trigger == MaintenanceTrigger::Hidden && rows >= HIDDEN_FLUSH_ROWS;
    rows > 0 && (by_rows || by_age || by_trigger || n_bytes >= FLUSH_BYTES)
}

/// Segments that follow each other, together as far as they fit into the memory for merging.
fn groups(segments: Vec<StoredSegment>) -> Vec<Vec<StoredSegment>> {
    let (mut groups, mut free): (Vec<Vec<StoredSegment>>, _) = (Vec::new(), 0);
    for stored in segments {
        let memory = stored.segment.memory();
        match groups.last_mut() {
            Some(group) if memory <= free => group.push(stored),
            _ => {
                groups.push(vec![stored]);
                free = COMPACT_BYTES;
            }
        }
        free = free.saturating_sub(memory);
    }
    groups
}

fn tier(n_rows: usize) -> u32 {
    (n_rows / FIRST_TIER_ROWS).checked_ilog(4).map_or(0, |tier| tier + 1)
}

fn n_rows(stored: &StoredSegment) -> usize {
    stored.segment.n_rows
}

fn n_current(stored: &StoredSegment) -> usize {
    stored.marks.current.as_ref().map_or(stored.segment.n_rows, |current| current.count_set_bits())
}
