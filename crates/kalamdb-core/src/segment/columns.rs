//! The columns of a segment as a version of the table has them.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array};
use datafusion::arrow::datatypes::Int64Type;

use super::cache::PageCache;
use super::segment::{ROW_ID, Segment};
use crate::catalog::Table;
use crate::error::{Error, Result};
use crate::retry::PageRef;
use crate::rows::upgrade_column;

/// The columns of a segment as a version of the table has them, page by page as they are in memory.
#[derive(Debug, Clone)]
pub(crate) struct SegmentColumns {
    pub(crate) segment: Arc<Segment>,
    pub(crate) table: Arc<Table>,
    pub(super) cache: Arc<PageCache>,
}

impl SegmentColumns {
    pub(crate) fn new(segment: Arc<Segment>, table: Arc<Table>, cache: Arc<PageCache>) -> Self {
        Self { segment, table, cache }
    }

    /// The same for a later version of the table's columns.
    pub(crate) fn upgraded(&self, table: &Arc<Table>) -> Self {
        Self { table: Arc::clone(table), ..self.clone() }
    }

    /// The page behind a user column; `None` if the column was added later.
    pub(crate) fn page_of(&self, index: usize) -> Option<PageRef> {
        let id = self.table.columns.get(index)?.id;
        self.segment.page(&self.table, id)
    }

    /// The bounds of a user column, if they are known and the column is as it was stored.
    pub(crate) fn bounds_of(&self, index: usize) -> Option<&ArrayRef> {
        let column = self.table.columns.get(index)?;
        let bounds = self.segment.column(column.id)?.bounds.as_ref()?;
        (*bounds.data_type() == column.sql_type.arrow() && self.has_type_of_old(column.id)).then_some(bounds)
    }

    /// Whether a column has had one type ever since the segment was made.
    fn has_type_of_old(&self, id: u32) -> bool {
        let version = self.segment.schema_version;
        let stored = self.table.columns_of(version).and_then(|columns| columns.iter().find(|column| column.id == id));
        let has_type = |columns: &[crate::catalog::ColumnDef]| {
            columns.iter().find(|column| column.id == id).map(|column| column.sql_type)
                == stored.map(|stored| stored.sql_type)
        };
        self.table.columns_since(version).all(has_type)
    }

    /// A user column.
    ///
    /// # Errors
    /// Missing pages.
    pub(crate) fn column(&self, index: usize) -> Result<ArrayRef> {
        let column =
            self.table.columns.get(index).ok_or_else(|| Error::internal(format!("a segment has no column {index}")))?;
        let stored = self.page_of(index).map(|page| self.page(page)).transpose()?;
        match stored {
            Some(stored) if self.segment.schema_version == self.table.schema_version => Ok(stored),
            stored => upgrade_column(&self.table, self.segment.schema_version, column.id, stored, self.segment.n_rows),
        }
    }

    /// One of the columns that are not the user's.
    pub(crate) fn system(&self, id: u32) -> Result<ArrayRef> {
        let page = self
            .segment
            .page(&self.table, id)
            .ok_or_else(|| Error::internal(format!("a segment has no column {id}")))?;
        self.page(page)
    }

    pub(crate) fn row_ids(&self) -> Result<Option<Int64Array>> {
        if self.table.has_primary_key() {
            return Ok(None);
        }
        Ok(self.system(ROW_ID)?.as_primitive_opt::<Int64Type>().cloned())
    }

    fn page(&self, page: PageRef) -> Result<ArrayRef> {
        self.cache.page(page.key).ok_or_else(|| Error::missing_pages(vec![page]))
    }

    /// Which of the pages are not in memory.
    pub(crate) fn missing(&self, pages: impl IntoIterator<Item = PageRef>) -> Vec<PageRef> {
        pages.into_iter().filter(|page| !self.cache.has_page(page.key)).collect()
    }

    /// The pages of the columns that make the key.
    pub(crate) fn key_pages(&self) -> Vec<PageRef> {
        if self.table.has_primary_key() {
            self.table.primary_key.iter().filter_map(|&index| self.page_of(index)).collect()
        } else {
            self.segment.page(&self.table, ROW_ID).into_iter().collect()
        }
    }
}
