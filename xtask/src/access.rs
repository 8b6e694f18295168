//! The engine's policy itself, its source a part of this crate: asking it needs no engine.
#![allow(dead_code, unreachable_pub, reason = "the engine uses what is not used here")]

#[path = "../../crates/kalamdb-core/src/access/level.rs"]
mod level;
#[path = "../../crates/kalamdb-core/src/access/policy.rs"]
mod policy;
#[path = "../../crates/kalamdb-core/src/access/role.rs"]
mod role;

pub(crate) use level::AccessLevel;
pub(crate) use policy::{Action, Target, allowed};
pub(crate) use role::Role;
