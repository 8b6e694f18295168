//! Statements that change definitions: each computes the next catalog and commits it, with rows where it changes rows
//! too.

mod alter;
mod alter_column;
mod column_names;
mod dependents;
mod execute;
mod indexes;
mod namespaces;
mod next_catalog;
mod storage;
mod stored_rows;
mod table_definition;
mod table_options;
mod tables;
mod views;

pub(crate) use execute::run;
pub(crate) use storage::maintain;
