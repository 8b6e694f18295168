//! The chunks that are being stored anew.

/// The chunks that are being stored anew.
#[derive(Debug, Clone)]
pub(super) struct Frozen {
    /// Tells one rewriting from another.
    pub(super) token: u64,
    /// Chunks before this one are not merged.
    pub(crate) n_chunks: usize,
}
