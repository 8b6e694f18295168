//! DELETE and UNDELETE.

use datafusion::sql::sqlparser::ast::{Delete, FromTable};
use kalamdb_store::RowState;

use super::returning::{Returning, result};
use super::target::{ChangeTarget, RowFilter, Search, TargetName};
use super::update::replace;
use super::write_set::Replacement;
use crate::change::{Change, TableChange};
use crate::error::{Error, Result, refuse_clauses};
use crate::partition::take_rows;
use crate::result::StatementResult;
use crate::sql::parse::Parameters;
use crate::sql::plan::{StatementContext, write};

pub(crate) async fn run(
    context: &StatementContext<'_>,
    delete: &Delete,
    parameters: &Parameters,
) -> Result<StatementResult> {
    let name = read_target(context, delete)?;
    let returning = Returning { items: delete.returning.as_deref(), alias: &name.alias, parameters };
    let (committed, (n_rows, returned)) = write(context, async |context| {
        let target = ChangeTarget::of(context, &name.table, &name.alias, "DELETE")?;
        let found = target.find(context, search(delete, RowFilter::Live, parameters)).await?;
        let rows = take_rows(&target.table, &target.rows, &found.addresses)?;
        let n_rows = rows.n_rows;
        let first_seq = context.view.meta().next_seq;
        let returned = returning.rows(context, &target.table, Some(&rows), first_seq, None).await?;
        let tombstones = TableChange {
            table: target.table,
            partition: target.partition,
            state: RowState::Deleted,
            is_new: false,
            rows,
        };
        Ok((Change { rows: vec![tombstones], catalog: None }, (n_rows, returned)))
    })
    .await?;
    Ok(result("DELETE", n_rows, committed, returned))
}

/// Brings deleted rows back.
pub(crate) async fn undelete(
    context: &StatementContext<'_>,
    delete: &Delete,
    parameters: &Parameters,
) -> Result<StatementResult> {
    let name = read_target(context, delete)?;
    let returning = Returning { items: delete.returning.as_deref(), alias: &name.alias, parameters };
    let (committed, (n_rows, returned)) = write(context, async |context| {
        let target = ChangeTarget::of(context, &name.table, &name.alias, "UNDELETE")?;
        let found = target.find(context, search(delete, RowFilter::Deleted, parameters)).await?;
        let old = take_rows(&target.table, &target.rows, &found.addresses)?;
        let replacement = Replacement { addresses: found.addresses, new: old.clone(), old };
        replace(context, &target, replacement, returning).await
    })
    .await?;
    Ok(result("UNDELETE", n_rows, committed, returned))
}

fn read_target(context: &StatementContext<'_>, delete: &Delete) -> Result<TargetName> {
    refuse_clauses(&[
        (!delete.tables.is_empty(), "DELETE from several tables"),
        (delete.output.is_some(), "OUTPUT"),
        (!delete.order_by.is_empty() || delete.limit.is_some(), "ORDER BY and LIMIT in DELETE"),
    ])?;
    let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
    let [from] = from.as_slice() else {
        return Err(Error::unsupported("DELETE from several tables"));
    };
    TargetName::read(context, from)
}

fn search<'a>(delete: &'a Delete, filter: RowFilter, parameters: &'a Parameters) -> Search<'a> {
    let others = delete.using.as_deref().unwrap_or_default();
    Search { filter, values: &[], others, selection: delete.selection.as_ref(), parameters }
}
