//! How long ago something was last done.

use std::cell::Cell;

/// The time since something was last done.
#[derive(Debug, Default)]
pub(crate) struct Cooldown {
    begun_us: Cell<Option<i64>>,
}

impl Cooldown {
    /// One that begins now.
    pub(crate) fn begun(now_us: i64) -> Self {
        Self { begun_us: Cell::new(Some(now_us)) }
    }

    /// Whether it has lasted so long, or has never begun.
    pub(crate) fn has_passed(&self, now_us: i64, length_us: i64) -> bool {
        self.begun_us.get().is_none_or(|begun_us| now_us.saturating_sub(begun_us) >= length_us)
    }

    /// Begins it anew.
    pub(crate) fn begin(&self, now_us: i64) {
        self.begun_us.set(Some(now_us));
    }

    /// Ends it, so that it is over.
    pub(crate) fn end(&self) {
        self.begun_us.set(None);
    }
}
