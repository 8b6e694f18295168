//! Tables as DataFusion sees them: providers over one snapshot of one partition, and the scan of it.

mod exposed;
mod index_scan;
mod page_loader;
mod pruning;
mod row_scan;
mod shared;

pub(crate) use exposed::{ADDRESS_COLUMN, Exposed};
pub(crate) use page_loader::PageLoader;
pub(crate) use shared::TableSnapshot;
