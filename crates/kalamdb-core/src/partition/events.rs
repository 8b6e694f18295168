use std::sync::Arc;

use super::Snapshot;
use crate::catalog::TableOptions;

/// The events of a stream that are neither older than its TTL nor pushed out of its buffer by newer ones.
pub(crate) fn visible_events(events: &Snapshot, options: &TableOptions, now_us: i64) -> Snapshot {
    let oldest_us = options.ttl_seconds.map(|seconds| {
        let ttl_us = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        now_us.saturating_sub(ttl_us)
    });
    let mut room = options.max_buffer.map_or(usize::MAX, |rows| usize::try_from(rows).unwrap_or(usize::MAX));
    let mut visible = Vec::with_capacity(events.len());
    for chunk in events.iter().rev() {
        if room == 0 {
            break;
        }
        if oldest_us.is_some_and(|oldest| chunk.newest_us() <= oldest) {
            continue;
        }
        let mut hidden = Vec::new();
        for row in (0..chunk.n_rows()).rev().filter(|row| chunk.is_current(*row)) {
            if room == 0 || oldest_us.is_some_and(|oldest| chunk.updated_us(row) <= oldest) {
                hidden.push(row);
            } else {
                room -= 1;
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
