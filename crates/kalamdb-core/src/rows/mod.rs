//! Arrays of rows, their keys, order and size, and the versions of their schema.

mod compact;
mod keys;
mod order;
mod rows;
mod schema_versions;
mod size;
mod unique_keys;

pub(crate) use compact::compact;
pub(crate) use keys::Keys;
pub(crate) use order::ORDER;
pub(crate) use rows::Rows;
pub(crate) use schema_versions::{missing_values, upgrade_column, upgrade_to};
pub(crate) use size::{compact_views, memory_of};
pub(crate) use unique_keys::unique_keys;
