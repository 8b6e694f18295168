//! UNION, INTERSECT, EXCEPT and recursive queries, with the meaning and the types that PostgreSQL gives them.

mod nullable;
mod rewrite;
mod types;

pub(super) use nullable::NullableSets;
pub(super) use rewrite::rewrite;
