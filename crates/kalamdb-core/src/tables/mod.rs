//! Tables as DataFusion sees them: providers of one partition's rows, and the scan of a snapshot of it.

mod index_scan;
mod page_loader;
mod pruning;
mod row_scan;
mod snapshots;
mod table_rows;
mod visible_columns;

pub(crate) use page_loader::PageLoader;
pub(crate) use snapshots::{Dependency, Snapshots};
pub(crate) use table_rows::TableRows;
pub(crate) use visible_columns::{ADDRESS_COLUMN, VisibleColumns};
