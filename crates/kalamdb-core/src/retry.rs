//! What a statement lacks that must be run again: pages to load, or newer rows.

use std::sync::Arc;

use kalamdb_store::PageKey;
use kalamdb_types::SqlType;

/// What has to be done before the statement that failed is run again. Such errors do not leave the engine.
#[derive(Debug, Clone)]
pub(crate) enum Retry {
    /// Read these pages.
    Pages(Arc<[PageRef]>),
    /// Read what was committed: other segments have taken the place of those that the statement was reading.
    CatchUp,
}
/// A page, and what it takes to decode it.
#[derive(Debug, Clone)]
pub(crate) struct PageRef {
    pub(crate) key: PageKey,
    pub(crate) sql_type: SqlType,
    pub(crate) n_rows: usize,
    /// The full name of the table, for errors.
    pub(crate) table_name: Arc<str>,
}
