//! Tables as DataFusion sees them: providers of one partition's rows, and the scan of a snapshot of it.

mod exposed;
mod index_scan;
mod page_loader;
mod pruning;
mod row_scan;
mod snapshots;
mod table_rows;

pub(crate) use exposed::{ADDRESS_COLUMN, Exposed};
pub(crate) use page_loader::PageLoader;
pub(crate) use snapshots::{Dependency, Snapshots};
pub(crate) use table_rows::TableRows;
