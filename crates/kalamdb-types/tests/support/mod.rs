//! What the tests of the crate share: edge values of every type, and a reader and a writer of the wire block that know
//! nothing of the crate's own.
#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod edges;
pub(crate) mod wire;
