//! The hashes of the values of some columns, in order.

use std::hash::{DefaultHasher, Hash, Hasher};

/// The hashes of the values of some columns, with their rows, in order. Rows with a NULL among them are left out.
#[derive(Debug)]
pub(super) struct Hashes(pub(crate) Vec<(u64, u32)>);

impl Hashes {
    pub(crate) fn n_bytes(&self) -> usize {
        self.0.len() * size_of::<(u64, u32)>()
    }
}

pub(crate) fn hash(value: &[u8]) -> u64 {
    // The same in every run of the program.
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
