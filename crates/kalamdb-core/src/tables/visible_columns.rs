//! The columns of a table that a statement can see.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};

use crate::catalog::{SystemColumn, Table};
use crate::error::Result;
use crate::partition::Chunk;
use crate::retry::PageRef;
use crate::segment::{SEQ, SegmentColumns, UPDATED};

/// The name of the column that carries row addresses to UPDATE and DELETE. No user column can have it: it holds a NUL.
pub(crate) const ADDRESS_COLUMN: &str = "\0address";

/// A column that a statement can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VisibleColumn {
    /// A user column, by position.
    User(usize),
    /// A system column.
    System(SystemColumn),
    /// The row's address.
    Address,
}

/// The columns of one table that one statement can see.
///
/// System columns are there only if the statement names them, so that `*` leaves them out.
#[derive(Debug, Clone)]
pub(crate) struct VisibleColumns {
    pub(crate) columns: Vec<VisibleColumn>,
    pub(crate) schema: SchemaRef,
}

impl VisibleColumns {
    pub(crate) fn new(table: &Table, system: &[SystemColumn], with_address: bool) -> Self {
        let user = (0..table.columns.len()).map(VisibleColumn::User);
        let system = system.iter().copied().map(VisibleColumn::System);
        let address = with_address.then_some(VisibleColumn::Address);
        let columns: Vec<VisibleColumn> = user.chain(system).chain(address).collect();
        let fields: Vec<FieldRef> = columns.iter().filter_map(|column| column.field(table)).collect();
        Self { columns, schema: Arc::new(Schema::new(fields)) }
    }

    pub(crate) fn includes(&self, column: SystemColumn) -> bool {
        self.columns.contains(&VisibleColumn::System(column))
    }
}

impl VisibleColumn {
    fn field(self, table: &Table) -> Option<FieldRef> {
        match self {
            VisibleColumn::User(index) => table.fields.get(index).cloned(),
            VisibleColumn::System(column) => Some(column.field()),
            VisibleColumn::Address => Some(Arc::new(Field::new(ADDRESS_COLUMN, DataType::UInt64, false))),
        }
    }

    /// The column's values in one chunk, which is the partition's chunk number `at`.
    pub(crate) fn values(self, chunk: &Chunk, at: usize) -> Result<ArrayRef> {
        match self {
            VisibleColumn::User(index) => chunk.column(index),
            VisibleColumn::System(column) => chunk.system_column(column),
            VisibleColumn::Address => Ok(chunk.addresses(at)),
        }
    }

    /// The page of a segment that the values are in; `None` if it takes none.
    pub(crate) fn page(self, segment: &SegmentColumns) -> Option<PageRef> {
        match self {
            VisibleColumn::User(index) => segment.page_of(index),
            VisibleColumn::System(SystemColumn::Seq) => segment.segment.page(&segment.table, SEQ),
            VisibleColumn::System(SystemColumn::Updated) => segment.segment.page(&segment.table, UPDATED),
            VisibleColumn::System(SystemColumn::Deleted) | VisibleColumn::Address => None,
        }
    }
}
