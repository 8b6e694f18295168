//! Writing: the change that a statement computes, the constraints it must keep, and its commit.

mod commit;
mod constraints;

pub(crate) use commit::{commit_transaction, write};
pub(crate) use constraints::{check_not_null, check_unique};
