//! The table that an INSERT adds rows to.

use std::sync::Arc;

use super::columns::{Given, check_generated, target_columns};
use super::counter::IdentityGenerator;
use crate::catalog::{PartitionId, Table, TableName};
use crate::error::Result;
use crate::rows::Rows;
use crate::sql::parse::Overriding;
use crate::sql::plan::StatementContext;

/// What an INSERT says of where its rows go.
#[derive(Debug, Clone, Copy)]
pub(super) struct InsertInto<'a> {
    pub(super) table: &'a TableName,
    /// The columns that it names.
    pub(super) columns: &'a [String],
    pub(super) overriding: Option<Overriding>,
}

/// The table that an INSERT adds rows to, and the columns that it gives.
#[derive(Debug)]
pub(super) struct InsertTarget {
    pub(super) table: Arc<Table>,
    pub(super) partition: PartitionId,
    /// The positions of the columns that are named, or of all columns.
    pub(super) columns: Vec<usize>,
    pub(super) columns_named: bool,
    overriding: Option<Overriding>,
}

impl InsertTarget {
    pub(super) fn of(context: &StatementContext<'_>, into: InsertInto<'_>) -> Result<Self> {
        let (table, partition) = context.writable(into.table)?;
        let columns = target_columns(&table, into.columns)?;
        let columns_named = !into.columns.is_empty();
        Ok(Self { table, partition, columns, columns_named, overriding: into.overriding })
    }

    /// The values of columns that are left to their defaults.
    pub(super) fn counter<'a>(&'a self, context: &'a StatementContext<'a>) -> IdentityGenerator<'a> {
        IdentityGenerator::new(context, &self.table, &self.partition)
    }

    /// For each column of the table, that it is left to its default.
    pub(super) fn nothing_given(&self) -> Vec<Given> {
        self.table.columns.iter().map(|_| Given::Default).collect()
    }

    /// Whole rows: what is given, and defaults.
    pub(super) async fn complete(
        &self,
        counter: &mut IdentityGenerator<'_>,
        mut given: Vec<Given>,
        n_rows: usize,
    ) -> Result<Rows> {
        check_generated(&self.table, &mut given, self.overriding)?;
        let mut columns = Vec::with_capacity(given.len());
        for (at, given) in given.into_iter().enumerate().take(self.table.columns.len()) {
            columns.push(match given {
                Given::Values(values) => values,
                Given::Default => counter.defaults(at, n_rows).await?,
            });
        }
        Ok(Rows { columns, row_ids: None, n_rows })
    }
}
