//! The insert of whole columns, as `insert()` sends them.

use datafusion::arrow::array::ArrayRef;

use super::columns::Given;
use super::insert_target::{InsertInto, InsertTarget};
use super::write_set::{WriteSet, check};
use crate::catalog::{Table, TableName};
use crate::change::Change;
use crate::error::Result;
use crate::result::StatementResult;
use crate::sql::plan::{StatementContext, write};

/// How many rows an INSERT of columns has, and how many of the columns that it names, or else of all, are given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    pub(crate) n_rows: usize,
    pub(crate) n_columns: usize,
}

/// Inserts a block of columns, as [`change_of_columns`] says.
pub(crate) async fn insert_columns(
    context: &StatementContext<'_>,
    name: &TableName,
    columns: &[String],
    block: Block,
    mut convert: impl FnMut(&Table, usize, usize) -> Result<ArrayRef>,
) -> Result<StatementResult> {
    let into = InsertInto { table: name, columns, overriding: None };
    let compute =
        async |context: &StatementContext<'_>| Ok((change_of_columns(context, into, block, &mut convert).await?, ()));
    let (committed, ()) = write(context, compute).await?;
    Ok(StatementResult::affected("INSERT", block.n_rows, committed.seq))
}

/// What inserting a block of columns changes, each in the type of the table's column: `convert` gets the table, the
/// place of the column in the block and that in the table.
pub(super) async fn change_of_columns(
    context: &StatementContext<'_>,
    into: InsertInto<'_>,
    block: Block,
    convert: &mut impl FnMut(&Table, usize, usize) -> Result<ArrayRef>,
) -> Result<Change> {
    let target = InsertTarget::of(context, into)?;
    let InsertTarget { table, partition, columns, .. } = &target;
    let mut given = target.nothing_given();
    for (position, &column) in columns.iter().enumerate().take(block.n_columns) {
        let values = convert(table, position, column)?;
        if let Some(slot) = given.get_mut(column) {
            *slot = Given::Values(values);
        }
    }
    let inserted = Some(target.complete(&mut target.counter(context), given, block.n_rows).await?);
    let checked = check(context, table, partition, WriteSet { inserted, ..WriteSet::default() })?;
    Ok(kept(context, table, checked.change))
}

/// Events that nobody is subscribed to are not kept where the stream says so.
pub(super) fn kept(context: &StatementContext<'_>, table: &Table, change: Change) -> Change {
    if table.options.ephemeral && context.view.n_subscribers(table.id) == 0 { Change::default() } else { change }
}
