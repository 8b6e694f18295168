//! The chunks that are being flushed or merged.

/// The chunks that are being flushed or merged.
#[derive(Debug, Clone)]
pub(super) struct Frozen {
    /// Identifies the flush or compaction.
    pub(super) token: u64,
    /// Chunks before this one are not merged.
    pub(crate) n_chunks: usize,
}
