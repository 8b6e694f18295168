//! What the caller wants of one call, and how the caller gives it up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::progress::Progress;
use crate::error::{Error, ErrorKind, Result};

/// What the caller wants of one call.
#[derive(Debug, Clone, Default)]
pub struct CallContext {
    /// Puts the system columns into `*`.
    pub system_columns_in_star: bool,
    /// A query gives so many rows at most, and does not compute the others.
    pub max_rows: Option<usize>,
    /// Queries fail at this time, in microseconds since the epoch.
    pub deadline_us: Option<i64>,
    /// Gives the call up.
    pub cancel: CancelFlag,
    /// Tells how far the call has come.
    pub progress: Progress,
}

/// Gives a call up. A call that is committing ends as it would have ended.
#[derive(Debug, Clone, Default)]
pub struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    /// Has the call fail with `query_canceled` at its next step.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// # Errors
    /// `query_canceled` if the caller has given the call up.
    pub(crate) fn check(&self) -> Result<()> {
        if self.0.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::QueryCanceled, "the caller has given the statement up"));
        }
        Ok(())
    }
}
