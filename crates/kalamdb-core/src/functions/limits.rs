//! How large one value may be, and the memory that there is for what functions build.

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool};

use crate::error::{Error, ErrorKind, into_datafusion};

/// The largest value that a function or operator makes, in bytes, unless the database is opened with another one: 64
/// MiB.
pub(crate) const DEFAULT_VALUE_BYTES: usize = 64 << 20;

/// What functions ask before they build anything.
#[derive(Debug)]
pub(crate) struct Limits {
    value_bytes: usize,
    memory: Arc<dyn MemoryPool>,
}

impl Limits {
    pub(crate) fn new(value_bytes: usize, memory: &Arc<dyn MemoryPool>) -> Arc<Self> {
        Arc::new(Self { value_bytes, memory: Arc::clone(memory) })
    }

    pub(crate) fn value_bytes(&self) -> u64 {
        self.value_bytes as u64
    }

    /// Refuses a value that is too large.
    ///
    /// # Errors
    /// `program_limit_exceeded`.
    pub(crate) fn check_value(&self, what: &str, n_bytes: u64) -> Result<()> {
        if n_bytes <= self.value_bytes() {
            return Ok(());
        }
        let message = format!("{what} would make a value of {n_bytes} bytes; at most {} are taken", self.value_bytes);
        Err(into_datafusion(
            Error::new(ErrorKind::ProgramLimitExceeded, message)
                .with_hint("raise valueLimitBytes, or make smaller values"),
        ))
    }

    /// Refuses to build what there is no memory for.
    ///
    /// # Errors
    /// `out_of_memory`.
    pub(crate) fn check_room(&self, what: &str, n_bytes: u64) -> Result<()> {
        // What is built grows by doubling. Whoever gets the values asks for the memory that they take from then on.
        let n_bytes = usize::try_from(n_bytes.saturating_mul(2)).unwrap_or(usize::MAX);
        MemoryConsumer::new(what).register(&self.memory).try_grow(n_bytes)
    }
}
