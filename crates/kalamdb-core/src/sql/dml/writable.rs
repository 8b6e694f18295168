//! The table that a statement writes to.

use std::sync::Arc;

use crate::access::Action;
use crate::catalog::{PartitionId, Table, TableName};
use crate::error::Result;
use crate::sql::plan::StatementContext;

impl StatementContext<'_> {
    /// A table that a statement writes to, with the partition that is the session's.
    pub(crate) fn writable(&self, name: &TableName) -> Result<(Arc<Table>, PartitionId)> {
        let catalog = self.view.catalog();
        let table = catalog.require_table(name)?;
        table.check_access(self.principal, Action::Write)?;
        Ok((Arc::clone(table), table.partition(self.principal)))
    }
}
