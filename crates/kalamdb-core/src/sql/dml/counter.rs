//! The next values of columns that count.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array};
use datafusion::arrow::datatypes::{DataType, Field};
use kalamdb_types::{Source, coerce};

use super::defaults;
use crate::catalog::{PartitionId, Table};
use crate::error::{Error, Result};
use crate::sql::plan::StatementContext;

/// The values of columns that a statement leaves to their defaults: those that count go on from the greatest value so
/// far.
#[derive(Debug)]
pub(super) struct IdentityGenerator<'a> {
    context: &'a StatementContext<'a>,
    table: &'a Arc<Table>,
    partition: &'a PartitionId,
    /// The last number that the statement has given to a column.
    last: Vec<(usize, i64)>,
}

impl<'a> IdentityGenerator<'a> {
    pub(crate) fn new(context: &'a StatementContext<'a>, table: &'a Arc<Table>, partition: &'a PartitionId) -> Self {
        Self { context, table, partition, last: Vec::new() }
    }

    /// Values for `n_rows` rows of a column.
    pub(crate) async fn defaults(&mut self, column: usize, n_rows: usize) -> Result<ArrayRef> {
        let definition = self.table.columns.get(column).ok_or_else(|| Error::internal("a column is missing"))?;
        if !definition.auto_increment {
            return defaults::values(self.context, definition, n_rows).await;
        }
        let from = match self.last.iter().find(|(of, _)| *of == column) {
            Some((_, last)) => *last,
            None => self.context.view.max_value(self.table, self.partition, column)?,
        };
        let numbers: Int64Array = (0..n_rows as i64).map(|at| from.checked_add(at + 1)).collect();
        self.last.retain(|(of, _)| *of != column);
        self.last.push((column, from.saturating_add(n_rows as i64)));
        let field = Field::new(&definition.name, DataType::Int64, true);
        let numbers: ArrayRef = Arc::new(numbers);
        coerce(&numbers, &field, &definition.sql_type, Source::Sql)
            .map_err(|error| Error::from(error).in_column(&definition.name))
    }
}
