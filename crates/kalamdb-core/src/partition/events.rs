//! The events of a stream: how long they are seen.

use std::collections::HashSet;
use std::sync::Arc;

use kalamdb_store::LogKey;

use super::chunk::Chunk;
use super::partition::{Partition, Snapshot};
use crate::catalog::{Table, TableOptions};

/// The time up to which events are too old.
fn expires_before_us(options: &TableOptions, now_us: i64) -> Option<i64> {
    let ttl_us = i64::try_from(options.ttl_seconds?).unwrap_or(i64::MAX).saturating_mul(1_000_000);
    Some(now_us.saturating_sub(ttl_us))
}

/// Whether an event written at that time is older than its stream's TTL; nothing is whose time is not known.
pub(crate) fn is_expired(options: &TableOptions, now_us: i64, time_us: Option<i64>) -> bool {
    is_before(expires_before_us(options, now_us), time_us)
}

fn is_before(until_us: Option<i64>, time_us: Option<i64>) -> bool {
    until_us.zip(time_us).is_some_and(|(until, time)| time <= until)
}

/// How many events the buffer holds.
fn capacity(options: &TableOptions) -> usize {
    options.max_buffer.map_or(usize::MAX, |rows| usize::try_from(rows).unwrap_or(usize::MAX))
}

/// The events of a stream that are neither older than its TTL nor pushed out of its buffer by newer ones.
pub(crate) fn visible_events(events: &Snapshot, options: &TableOptions, now_us: i64) -> Snapshot {
    let expires_before = expires_before_us(options, now_us);
    let is_expired = |time_us: Option<i64>| is_before(expires_before, time_us);
    let mut capacity = capacity(options);
    let mut visible = Vec::with_capacity(events.len());
    for chunk in events.iter().rev() {
        if capacity == 0 {
            break;
        }
        if is_expired(chunk.newest_us()) {
            continue;
        }
        let mut hidden = Vec::new();
        for row in (0..chunk.n_rows()).rev().filter(|row| chunk.is_current(*row)) {
            if capacity == 0 || is_expired(chunk.updated_us(row)) {
                hidden.push(row);
            } else {
                capacity -= 1;
            }
        }
        let mut chunk = chunk.clone();
        if !hidden.is_empty() {
            chunk.mask(hidden.into_iter());
        }
        visible.push(chunk);
    }
    visible.reverse();
    Arc::new(visible)
}

/// The place, as chunk and row, of the oldest event that newer ones have not pushed out of the buffer.
pub(crate) fn oldest_in_buffer(events: &Snapshot, options: &TableOptions, now_us: i64) -> (usize, usize) {
    let capacity = capacity(options);
    let current = events.iter().enumerate().rev().flat_map(|(at, chunk)| {
        let rows = (0..chunk.n_rows())
            .rev()
            .filter(|row| chunk.is_current(*row) && !is_expired(options, now_us, chunk.updated_us(*row)));
        rows.map(move |row| (at, row))
    });
    match capacity.checked_sub(1) {
        Some(newer) => current.into_iter().nth(newer).unwrap_or((0, 0)),
        None => (usize::MAX, 0),
    }
}

impl Partition {
    /// The parts of the log of which all events are too old or pushed out, with their bytes, and how many events those
    /// are.
    pub(crate) fn expired_parts(&self, options: &TableOptions, now_us: i64) -> (Vec<(LogKey, usize)>, usize) {
        let expires_before = expires_before_us(options, now_us);
        let (mut capacity, mut keys, mut n_rows) = (capacity(options), Vec::new(), 0);
        for record in self.log.iter().rev() {
            if capacity == 0 || is_before(expires_before, Some(record.updated_us)) {
                keys.push((record.key, record.n_bytes));
                n_rows += record.n_rows;
            } else {
                capacity = capacity.saturating_sub(record.n_rows);
            }
        }
        (keys, n_rows)
    }

    /// Lets go of parts of the log, as of the commit of that number, and of the events that nobody sees any more.
    pub(crate) fn forget(&mut self, table: &Arc<Table>, parts: &[(LogKey, usize)], now_us: i64, commit: u64) {
        let keys: HashSet<&LogKey> = parts.iter().map(|(key, _)| key).collect();
        self.log.retain(|record| !keys.contains(&record.key));
        if self.load(table).is_err() {
            // Whoever asks for the events meets the same failure.
            return;
        }
        let visible = visible_events(&self.chunks, &table.options, now_us);
        let chunks: Vec<Chunk> = visible.iter().filter(|chunk| chunk.n_current() > 0).cloned().collect();
        self.chunks = Arc::new(chunks);
        // Rows have other addresses now.
        self.index = None;
        self.unique.clear();
        self.changed_at = self.changed_at.max(commit);
    }
}
