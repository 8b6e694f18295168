//! Writing: the change that a statement computes, the constraints it must keep, and its commit.

mod change;
mod commit;
mod constraints;
mod rows;

pub(crate) use change::{CatalogChange, Change, TableChange};
pub(crate) use commit::{Committed, commit_transaction, write};
pub(crate) use constraints::{as_if_there, check_not_null, check_unique, unique_keys};
pub(crate) use rows::{Rows, take_rows};
