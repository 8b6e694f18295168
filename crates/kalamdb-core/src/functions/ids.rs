//! Ids that rise with time: snowflakes, UUIDs of version 7 and ULIDs.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, ErrorKind, Result};

/// 2024-01-01T00:00:00Z in milliseconds: where the time of snowflakes begins.
const EPOCH_MS: u64 = 1_704_067_200_000;

/// The bits of a snowflake that number the ids of one millisecond.
const SEQUENCE_BITS: u32 = 12;

/// The bits of a snowflake that tell instances apart.
const WORKER_BITS: u32 = 10;

/// Fills a buffer with random bytes.
pub(crate) type FillRandom = fn(&mut [u8]) -> Result<()>;

/// Where the ids of one open database come from: they rise within the instance, also within one millisecond.
///
/// The time is that of the statement under way, which [`Ids::set_time`] is told; ids beyond 4096 of one millisecond
/// take the milliseconds that follow.
pub(crate) struct Ids {
    worker: u64,
    fill_random: FillRandom,
    last: Mutex<Last>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Last {
    now_ms: u64,
    tick: Tick,
}

/// A moment that was given out once only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tick {
    /// Milliseconds since 1970.
    pub(super) ms: u64,
    /// Which of the ids of that millisecond, below 4096.
    pub(super) sequence: u16,
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ids").field("worker", &self.worker).finish_non_exhaustive()
    }
}

impl Ids {
    /// A generator with a random worker number.
    ///
    /// # Errors
    /// If there is no randomness.
    pub(crate) fn new(fill_random: FillRandom) -> Result<Self> {
        let mut worker = [0; 8];
        fill_random(&mut worker)?;
        Ok(Self { worker: u64::from_le_bytes(worker) % (1 << WORKER_BITS), fill_random, last: Mutex::default() })
    }

    /// Says what time it is, in microseconds since 1970. Before 2024 no clock can be right, and snowflakes have no
    /// form.
    pub(crate) fn set_time(&self, now_us: i64) {
        let now_ms = u64::try_from(now_us / 1_000).unwrap_or(0).max(EPOCH_MS);
        self.last.lock().unwrap_or_else(PoisonError::into_inner).now_ms = now_ms;
    }

    /// The next `n` moments, rising, none of which was given out before.
    pub(super) fn ticks(&self, n: usize) -> Vec<Tick> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = || {
            // A clock that was set back does not bring ids back.
            last.tick = if last.now_ms > last.tick.ms {
                Tick { ms: last.now_ms, sequence: 0 }
            } else if last.tick.sequence + 1 < 1 << SEQUENCE_BITS {
                Tick { sequence: last.tick.sequence + 1, ..last.tick }
            } else {
                Tick { ms: last.tick.ms + 1, sequence: 0 }
            };
            last.tick
        };
        (0..n).map(|_| next()).collect()
    }

    /// The snowflake of a moment: 41 bits of milliseconds since 2024, 10 of the worker, 12 of the sequence.
    pub(super) fn snowflake(&self, tick: Tick) -> i64 {
        let ms = tick.ms.saturating_sub(EPOCH_MS) & ((1 << 41) - 1);
        let id = ms << (WORKER_BITS + SEQUENCE_BITS) | self.worker << SEQUENCE_BITS | u64::from(tick.sequence);
        id.cast_signed()
    }

    /// 16 random bytes for each of `n` values.
    pub(super) fn random(&self, n: usize) -> Result<Vec<[u8; 16]>> {
        let mut bytes = vec![[0; 16]; n];
        (self.fill_random)(bytes.as_flattened_mut())?;
        Ok(bytes)
    }
}

/// Randomness of the operating system, or of the browser.
pub(crate) fn system_random(buffer: &mut [u8]) -> Result<()> {
    getrandom::fill(buffer)
        .map_err(|error| Error::new(ErrorKind::InternalError, format!("there is no randomness: {error}")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests stop at the first surprise")]
mod tests {
    use super::*;

    fn ids() -> Ids {
        Ids::new(|buffer| {
            buffer.fill(7);
            Ok(())
        })
        .unwrap()
    }

    #[test]
    fn ticks_rise_even_if_the_clock_does_not() {
        let ids = ids();
        let mut all = Vec::new();
        for ms in [5_000, 5_000, 4_000, 5_001, 9_000] {
            ids.set_time((EPOCH_MS.cast_signed() + ms) * 1_000);
            all.extend(ids.ticks(10_000));
        }
        assert_eq!(all[0], Tick { ms: EPOCH_MS + 5_000, sequence: 0 });
        assert!(all.is_sorted_by(|a, b| a < b), "every tick is after the one before");
        assert!(all.iter().all(|tick| tick.sequence < 4096));
        assert_eq!(all[40_000], Tick { ms: EPOCH_MS + 9_000, sequence: 0 });
    }

    #[test]
    fn snowflakes_have_their_parts_where_they_belong() {
        let ids = ids();
        let id = ids.snowflake(Tick { ms: EPOCH_MS + 3, sequence: 5 });
        assert_eq!((id >> 22, id & 4095), (3, 5));
        assert_eq!(id >> 12 & 1023, i64::from_le_bytes([7; 8]) & 1023);
        assert!(ids.snowflake(Tick { ms: EPOCH_MS + (1 << 41) - 1, sequence: 4095 }) > 0);
    }
}
