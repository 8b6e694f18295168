//! Switching to segments that another tab has written, without reading the rows again.

use std::sync::Arc;

use kalamdb_store::{LogKey, Manifest};

use super::partition::{Logged, Partition, Pending, Undecoded};
use super::tap::Report;
use crate::catalog::{Table, is_kept_in_segments};
use crate::error::Result;
use crate::segment::{PageCache, reach};

impl Partition {
    /// Switches to the segments that a manifest names, and drops the rows of the log that are in them. Returns the
    /// parts of the log whose rows are in the segments now, with their bytes. All commits up to `seen` have been added
    /// before.
    ///
    /// The manifest's marks cover the log up to the commit that wrote it. Later rows are appended as usual.
    pub(crate) fn take_manifest(
        &mut self,
        table: &Arc<Table>,
        manifest: Manifest,
        cache: Arc<PageCache>,
        seen: u64,
    ) -> Vec<(LogKey, usize)> {
        let Manifest { key, body, .. } = manifest;
        let (changed_at, flushed_through) = reach(&body);
        if self.taps.want(key.commit) && !self.is_known_through(table, flushed_through, seen) {
            self.taps.report(key.commit, &Report::Reset);
        }
        let n_flushed = self.log.partition_point(|logged| flushed_through.is_some_and(|through| logged.key <= through));
        let flushed: Vec<Logged> = self.log.drain(..n_flushed).collect();
        let first_seq = flushed.last().map_or(0, |last| last.first_seq + last.n_rows as u64);
        let pending =
            self.pending.drain(..).filter_map(|pending| pending.since_seq(first_seq, flushed_through)).collect();
        let hot = self.chunks.iter().skip(self.n_segments).cloned().collect();
        let undecoded = Some(Undecoded { body: body.into(), cache });
        *self = Self {
            manifest: Some(key),
            flushed_through,
            undecoded,
            changed_at: self.changed_at.max(changed_at),
            chunks: Arc::new(hot),
            hot_from: self.hot_from.max(first_seq),
            schema_version: self.schema_version,
            pending,
            log: std::mem::take(&mut self.log),
            taps: std::mem::take(&mut self.taps),
            ..Self::default()
        };
        flushed.iter().map(|logged| (logged.key, logged.n_bytes)).collect()
    }

    /// Whether a manifest stores the rows that are known in another place and nothing else. Takes them in: which of
    /// them others supersede is not to be seen any more in the segments that it names.
    fn is_known_through(&mut self, table: &Arc<Table>, flushed_through: Option<LogKey>, seen: u64) -> bool {
        // Events are never stored so: theirs is a manifest that lets go of them.
        is_kept_in_segments(table)
            && flushed_through.is_none_or(|through| through.commit <= seen)
            && self.load(table).is_ok()
    }

    /// Leaves out of the chunks the rows that have gone into segments.
    pub(super) fn leave_flushed(&mut self, table: &Table) -> Result<()> {
        if self.hot_from == 0 {
            return Ok(());
        }
        let mut later = Vec::new();
        // They come in the order of the log, so that at most one holds rows of both.
        for chunk in self.chunks.iter().filter(|chunk| chunk.end_seq() > self.hot_from) {
            match chunk.first_seq() {
                Some(first) if first >= self.hot_from => later.push(chunk.clone()),
                _ => later.extend(chunk.since_seq(table, self.hot_from)?),
            }
        }
        self.chunks = Arc::new(later);
        self.hot_from = 0;
        Ok(())
    }
}

impl Pending {
    /// The rows that are not in segments by now.
    fn since_seq(self, first_seq: u64, flushed_through: Option<LogKey>) -> Option<Self> {
        match self {
            Self::Record(record) => {
                flushed_through.is_none_or(|through| record.key > through).then_some(Self::Record(record))
            }
            Self::Group { group, version, commit } => {
                let group = group.since_seq(first_seq);
                (group.n_rows > 0).then_some(Self::Group { group, version, commit })
            }
        }
    }
}
