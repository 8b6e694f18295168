//! The schemas `system` and `information_schema`.

mod arrays;
mod information_schema;
pub(crate) mod tables;

pub(crate) use arrays::{batch_of, boolean, text};
pub(crate) use information_schema::{CATALOG, CatalogView};
pub(crate) use tables::{SYSTEM_SCHEMA, TABLES, stats};
