//! DELETE and UNDELETE.

use std::sync::Arc;

use datafusion::sql::sqlparser::ast::{Delete, FromTable};
use kalamdb_store::RowState;

use super::returning::{Returning, result};
use super::target::{RowFilter, Search, Target};
use super::write_set::{Replacement, WriteSet, check};
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
    let target = read_target(context, delete)?;
    let search = search(delete);
    let returning = Returning { items: delete.returning.as_deref(), alias: &target.alias, parameters };
    let (committed, (n_rows, returned)) = write(context, async |context| {
        let changed = context.changeable(&target.name, "DELETE")?;
        let found = target.find(context, &changed, RowFilter::Live, search, parameters).await?;
        let rows = take_rows(&changed.table, &changed.rows, &found.addresses)?;
        let n_rows = rows.n_rows;
        let first_seq = context.view.meta().next_seq;
        let returned = returning.rows(context, &changed.table, Some(&rows), first_seq, None).await?;
        let tombstones = TableChange {
            table: Arc::clone(&changed.table),
            partition: changed.partition,
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
    let target = read_target(context, delete)?;
    let search = search(delete);
    let returning = Returning { items: delete.returning.as_deref(), alias: &target.alias, parameters };
    let (committed, (n_rows, returned)) = write(context, async |context| {
        let changed = context.changeable(&target.name, "UNDELETE")?;
        let found = target.find(context, &changed, RowFilter::Deleted, search, parameters).await?;
        let old = take_rows(&changed.table, &changed.rows, &found.addresses)?;
        let n_rows = old.n_rows;
        let replaced = Some(Replacement { addresses: found.addresses, new: old.clone(), old });
        let checked = check(context, &changed.table, &changed.partition, WriteSet { replaced, ..WriteSet::default() })?;
        let returned = returning.rows(context, &changed.table, checked.rows.as_ref(), checked.first_seq, None).await?;
        Ok((checked.change, (n_rows, returned)))
    })
    .await?;
    Ok(result("UNDELETE", n_rows, committed, returned))
}

fn read_target(context: &StatementContext<'_>, delete: &Delete) -> Result<Target> {
    refuse_clauses(&[
        (!delete.tables.is_empty(), "DELETE from several tables"),
        (delete.output.is_some(), "OUTPUT"),
        (!delete.order_by.is_empty() || delete.limit.is_some(), "ORDER BY and LIMIT in DELETE"),
    ])?;
    let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
    let [from] = from.as_slice() else {
        return Err(Error::unsupported("DELETE from several tables"));
    };
    Target::read(context, from)
}

fn search(delete: &Delete) -> Search<'_> {
    Search { values: &[], others: delete.using.as_deref().unwrap_or_default(), selection: delete.selection.as_ref() }
}
