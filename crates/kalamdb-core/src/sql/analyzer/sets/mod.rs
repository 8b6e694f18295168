//! UNION, INTERSECT, EXCEPT and recursive queries, with the meaning and the types that PostgreSQL gives them.

mod nullable;
mod rewrite;
mod types;

pub(crate) use nullable::NullableSets;
pub(crate) use rewrite::rewrite;
pub(crate) use types::common_type;
