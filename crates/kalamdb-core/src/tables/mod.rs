//! Tables as DataFusion sees them: providers over one snapshot of one partition, and the scan of it.

mod compact;
mod exposed;
mod index_scan;
mod page_loader;
mod pruning;
mod row_scan;
mod shared;

pub(crate) use exposed::{ADDRESS_COLUMN, Exposed, ExposedColumn};
pub(crate) use index_scan::{IndexColumns, IndexScan, indexes_of};
pub(crate) use page_loader::PageLoader;
pub(crate) use pruning::Pruning;
pub(crate) use row_scan::RowScanExec;
pub(crate) use shared::SharedTable;
