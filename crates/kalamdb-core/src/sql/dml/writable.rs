//! The table that a statement writes to, and its rows.

use std::sync::Arc;

use crate::access::Action;
use crate::catalog::{PartitionId, Table, TableKind, TableName};
use crate::error::{Error, Result};
use crate::partition::Snapshot;
use crate::sql::plan::StatementContext;

impl StatementContext<'_> {
    /// A table whose rows a statement changes, with the partition and the rows that are the session's.
    pub(crate) fn changeable(&self, name: &TableName, statement: &str) -> Result<Changeable> {
        let (table, partition) = self.writable(name)?;
        if table.kind == TableKind::Stream {
            return Err(Error::unsupported_on_streams(statement));
        }
        let rows = self.view.snapshot(&table, &partition)?;
        Ok(Changeable { table, partition, rows })
    }

    /// A table that a statement writes to, with the partition that is the session's.
    pub(crate) fn writable(&self, name: &TableName) -> Result<(Arc<Table>, PartitionId)> {
        let catalog = self.view.catalog();
        let table = catalog.require_table(name)?;
        table.check_access(self.principal, Action::Write)?;
        Ok((Arc::clone(table), table.partition(self.principal)))
    }
}

/// What UPDATE, DELETE and their like change.
#[derive(Debug, Clone)]
pub(crate) struct Changeable {
    pub(crate) table: Arc<Table>,
    pub(crate) partition: PartitionId,
    pub(crate) rows: Snapshot,
}
