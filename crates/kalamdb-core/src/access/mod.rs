//! Who asks, and what they may do.

mod principal;

pub use principal::{Principal, Role};
