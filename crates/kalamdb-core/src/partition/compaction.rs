//! Flush and compaction: rows of the log, or of several segments, become new segments.
//!
//! It takes a while, and others write meanwhile. So the chunks that it starts from are frozen: they stay where they
//! are, and only their marks change. What it has made then takes their place, with the marks as they are by then.

use std::sync::Arc;

use datafusion::arrow::buffer::BooleanBuffer;
use kalamdb_store::{LogKey, PageKey};

use super::chunk::Chunk;
use super::frozen::Frozen;
use super::partition::Partition;
use crate::catalog::Table;
use crate::error::Result;
use crate::segment::{
    Contents, DeletionVector, PageCache, SEGMENT_BYTES, SEGMENT_ROWS, Segment, SegmentColumns, StoredSegment,
};

/// The chunks to flush or merge.
#[derive(Debug, Clone)]
pub(crate) enum CompactionPlan {
    /// The oldest rows in the log: as many as make a segment, if there are.
    Log,
    /// The segments with these ids.
    Segments(Vec<u64>),
}

/// The rows of a partition that are in the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unflushed {
    pub(crate) n_rows: usize,
    pub(crate) n_bytes: usize,
    /// When the oldest of them was written.
    pub(crate) oldest_us: i64,
}

/// A chunk as it was when it was frozen, and its position.
#[derive(Debug, Clone)]
pub(crate) struct CompactionInput {
    pub(crate) at: usize,
    pub(crate) chunk: Chunk,
}

/// Where a row of a new segment comes from: the position of a chunk, and of a row in it.
pub(crate) type Source = (usize, usize);

/// A new segment, and where each of its rows comes from.
#[derive(Debug)]
pub(crate) struct CompactionResult {
    pub(crate) segment: Arc<Segment>,
    pub(crate) sources: Vec<Source>,
}

impl Partition {
    /// The manifest that names the segments.
    pub(crate) fn manifest(&self) -> Option<LogKey> {
        self.manifest
    }

    /// The older half of the parts of the log, rounded up, with their bytes, and how many rows they hold.
    pub(crate) fn oldest_half_of_log(&self) -> (Vec<(LogKey, usize)>, usize) {
        let half = self.log.iter().take(self.log.len().div_ceil(2));
        (half.clone().map(|logged| (logged.key, logged.n_bytes)).collect(), half.map(|logged| logged.n_rows).sum())
    }

    /// Whether there are segments, and they are known.
    pub(crate) fn has_known_segments(&self) -> bool {
        self.n_segments > 0
    }

    /// The rows in the log, superseded ones included; `None` if there are none.
    pub(crate) fn unflushed(&self) -> Option<Unflushed> {
        let oldest_us = self.log.iter().map(|record| record.updated_us).min()?;
        let (n_rows, n_bytes) =
            self.log.iter().fold((0, 0), |(rows, bytes), record| (rows + record.n_rows, bytes + record.n_bytes));
        Some(Unflushed { n_rows, n_bytes, oldest_us })
    }

    /// How many rows are in the log, superseded ones included, and how many bytes they take.
    pub(crate) fn log_size(&self) -> (u64, u64) {
        (
            self.log.iter().map(|record| record.n_rows as u64).sum(),
            self.log.iter().map(|record| record.n_bytes as u64).sum(),
        )
    }

    /// The segments, with the rows of them that count.
    ///
    /// # Errors
    /// As [`Partition::snapshot`].
    pub(crate) fn stored_segments(&mut self, table: &Arc<Table>) -> Result<Vec<StoredSegment>> {
        self.take_over(table)?;
        Ok(self.segments().filter_map(|(_, chunk)| stored(chunk)).collect())
    }

    /// The pages of all segments.
    ///
    /// # Errors
    /// As [`Partition::snapshot`].
    pub(crate) fn page_keys(&mut self, table: &Arc<Table>) -> Result<Vec<PageKey>> {
        let segments = self.stored_segments(table)?;
        Ok(segments.iter().flat_map(|stored| stored.segment.page_keys()).collect())
    }

    /// Freezes the chosen chunks; `None` if there are none, or if chunks are frozen already.
    ///
    /// # Errors
    /// As [`Partition::snapshot`].
    pub(crate) fn freeze(
        &mut self,
        table: &Arc<Table>,
        plan: &CompactionPlan,
        token: u64,
    ) -> Result<Option<Vec<CompactionInput>>> {
        self.load(table)?;
        if self.frozen.is_some() {
            return Ok(None);
        }
        let input = |(at, chunk): (usize, &Chunk)| CompactionInput { at, chunk: chunk.clone() };
        let inputs: Vec<CompactionInput> = match plan {
            CompactionPlan::Log => {
                let (mut rows, mut bytes) = (0, 0);
                let goes_on = |(_, chunk): &(usize, &Chunk)| {
                    let goes_on = rows < SEGMENT_ROWS && bytes < SEGMENT_BYTES;
                    rows += chunk.n_current();
                    bytes += chunk.n_bytes();
                    goes_on
                };
                self.hot().take_while(goes_on).map(input).collect()
            }
            CompactionPlan::Segments(ids) => {
                let is_chosen = |(_, chunk): &(usize, &Chunk)| {
                    chunk.segment().is_some_and(|columns| ids.contains(&columns.segment.id))
                };
                self.segments().filter(is_chosen).map(input).collect()
            }
        };
        let Some(last) = inputs.last() else { return Ok(None) };
        self.frozen = Some(Frozen { token, n_chunks: last.at + 1 });
        Ok(Some(inputs))
    }

    /// Whether chunks are being flushed or merged.
    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    /// Whether the chunks that were frozen under that token are still where they were.
    pub(crate) fn is_frozen_by(&self, token: u64) -> bool {
        self.frozen.as_ref().is_some_and(|frozen| frozen.token == token)
    }

    pub(crate) fn thaw(&mut self, token: u64) {
        if self.is_frozen_by(token) {
            self.frozen = None;
        }
    }

    /// What the partition is stored as, once `outputs` have taken the place of `inputs`, and the parts of the log that
    /// go.
    ///
    /// # Errors
    /// As [`Partition::snapshot`].
    pub(crate) fn rewritten(
        &mut self,
        table: &Arc<Table>,
        inputs: &[CompactionInput],
        outputs: &[CompactionResult],
    ) -> Result<(Contents, Vec<(LogKey, usize)>)> {
        self.load(table)?;
        let is_input = |at: usize| inputs.iter().any(|input| input.at == at);
        let mut new = outputs.iter().map(|output| StoredSegment {
            segment: Arc::clone(&output.segment),
            marks: self.marks_of(&output.sources),
        });
        let mut segments = Vec::new();
        for (at, chunk) in self.segments() {
            if is_input(at) {
                // All of the new ones come where the first of the old was.
                segments.extend(new.by_ref());
            } else {
                segments.extend(stored(chunk));
            }
        }
        segments.extend(new);
        let (_, n_parts) = self.leaving_log(inputs);
        let dying: Vec<(LogKey, usize)> = self.parts().take(n_parts).collect();
        let mut counters = self.counters.clone();
        for column in
            (0..table.columns.len()).filter(|&at| table.columns.get(at).is_some_and(|column| column.auto_increment))
        {
            let max = self.max_value(table, column)?;
            let Some(id) = table.columns.get(column).map(|column| column.id) else { continue };
            counters.retain(|(of, _)| *of != id);
            counters.push((id, max));
        }
        let replaced =
            inputs.iter().filter_map(|input| input.chunk.segment()).map(|columns| columns.segment.id).collect();
        let flushed_through = dying.last().map(|(key, _)| *key).or(self.flushed_through);
        let flushed_from = dying.first().map(|(key, _)| *key);
        Ok((
            Contents { segments, changed_at: self.changed_at, counters, flushed_from, flushed_through, replaced },
            dying,
        ))
    }

    /// Puts the segments that are stored now in the place of `inputs`.
    pub(crate) fn replace(
        &mut self,
        table: &Arc<Table>,
        inputs: &[CompactionInput],
        contents: Contents,
        manifest: LogKey,
        cache: &Arc<PageCache>,
    ) {
        let (n_chunks, n_parts) = self.leaving_log(inputs);
        let hot: Vec<Chunk> = self.chunks.iter().skip(self.n_segments + n_chunks).cloned().collect();
        let cold = |stored: StoredSegment| {
            // A chunk that stays keeps the orders that it knows.
            let same = self
                .segments()
                .find(|(_, chunk)| chunk.segment().is_some_and(|columns| columns.segment.id == stored.segment.id));
            same.map(|(_, chunk)| chunk.clone()).unwrap_or_else(|| {
                Chunk::of_segment(
                    SegmentColumns::new(stored.segment, Arc::clone(table), Arc::clone(cache)),
                    stored.marks,
                )
            })
        };
        let mut chunks: Vec<Chunk> = contents.segments.into_iter().map(cold).collect();
        self.n_segments = chunks.len();
        chunks.extend(hot);
        self.chunks = Arc::new(chunks);
        self.manifest = Some(manifest);
        self.flushed_through = contents.flushed_through;
        self.counters = contents.counters;
        self.log.drain(..n_parts);
        // Rows have other addresses now.
        self.index = None;
        self.unique.clear();
        self.frozen = None;
    }

    /// How many of the inputs are rows of the log, and how many parts of the log hold those.
    fn leaving_log(&self, inputs: &[CompactionInput]) -> (usize, usize) {
        let hot = inputs.iter().filter(|input| input.at >= self.n_segments);
        let end_seq = hot.clone().map(|input| input.chunk.end_seq()).max().unwrap_or_default();
        (hot.count(), self.log.partition_point(|logged| logged.first_seq < end_seq))
    }

    /// The marks of a new segment's rows: the current marks of the rows that they were made from.
    fn marks_of(&self, sources: &[Source]) -> DeletionVector {
        let bits = |of: &dyn Fn(&Chunk, usize) -> bool| -> BooleanBuffer {
            sources.iter().map(|(at, row)| self.chunks.get(*at).is_some_and(|chunk| of(chunk, *row))).collect()
        };
        let deleted = bits(&|chunk, row| chunk.is_deleted(row));
        let current = bits(&|chunk, row| chunk.is_current(row));
        let n_current = current.count_set_bits();
        DeletionVector {
            deleted: (deleted.count_set_bits() > 0).then_some(deleted),
            current: (n_current < sources.len()).then_some(current),
        }
    }
}

fn stored(chunk: &Chunk) -> Option<StoredSegment> {
    Some(StoredSegment { segment: Arc::clone(&chunk.segment()?.segment), marks: chunk.marks() })
}
