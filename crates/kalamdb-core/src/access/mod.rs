//! Who asks, and what they may do.

mod level;
mod policy;
mod principal;
mod role;

pub(crate) use level::AccessLevel;
pub(crate) use policy::{Action, Target};
pub use principal::Principal;
pub use role::Role;
