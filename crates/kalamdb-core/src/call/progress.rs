//! How far a call has come.

use std::cell::Cell;
use std::rc::Rc;

/// Tells how far a call has come, while it runs and after its end. Every copy tells the same.
#[derive(Debug, Clone, Default)]
pub struct Progress(Rc<Cell<ProgressReport>>);

/// How far the statement has come that a call is at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProgressReport {
    /// What is counted; `None` before anything is.
    pub phase: Option<ProgressPhase>,
    /// How many are done.
    pub done: u64,
    /// How many there are, as far as is known: it grows as more is found to do. A query that needs no more rows leaves
    /// some undone.
    pub total: u64,
}

/// What a statement is at, and what is counted meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressPhase {
    /// Queries read stored rows: row versions, once for each time that a table is read.
    Reading,
    /// A new definition is held against the rows of its table: row versions.
    Verifying,
    /// Rows are stored in segments: their values, those of system columns too.
    Storing,
    /// Segments are read to find damage: their pages.
    Checking,
}

impl Progress {
    /// How far the call has come by now.
    pub fn report(&self) -> ProgressReport {
        self.0.get()
    }

    /// Counts from nothing again: a statement begins, perhaps once more.
    pub(crate) fn restart(&self) {
        self.0.set(ProgressReport::default());
    }

    /// There is more to do. Another phase than before counts from nothing.
    pub(crate) fn expect(&self, phase: ProgressPhase, n: usize) {
        let phase = Some(phase);
        let report = Some(self.0.get()).filter(|report| report.phase == phase).unwrap_or_default();
        self.0.set(ProgressReport { phase, total: report.total + n as u64, ..report });
    }

    /// So much more is done.
    pub(crate) fn advance(&self, n: usize) {
        let report = self.0.get();
        self.0.set(ProgressReport { done: report.done + n as u64, ..report });
    }
}
