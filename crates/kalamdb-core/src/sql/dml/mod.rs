//! INSERT, UPDATE, DELETE and UNDELETE: from a statement to the change that it commits.

mod assignments;
mod columns;
mod conflict;
mod counter;
pub(crate) mod defaults;
pub(crate) mod delete;
pub(crate) mod insert;
mod insert_columns;
mod insert_each;
mod insert_source;
mod insert_target;
mod literals;
mod returning;
mod target;
pub(crate) mod update;
mod writable;
mod write_set;

pub(crate) use insert::concatenated;
pub(crate) use insert_columns::{Block, insert_columns};
pub(crate) use insert_each::BatchedInsert;
