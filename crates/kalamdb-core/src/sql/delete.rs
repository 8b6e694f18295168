use std::sync::Arc;

use datafusion::sql::sqlparser::ast::{Delete, FromTable};
use kalamdb_store::RowState;

use super::Parameters;
use super::execute::Executor;
use super::target::Target;
use crate::error::{Error, Result};
use crate::result::StatementResult;
use crate::write::{Change, TableChange, take_rows, write};

pub(super) async fn run(executor: &Executor<'_>, delete: &Delete, parameters: &Parameters) -> Result<StatementResult> {
    check_clauses(delete)?;
    let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
    let [from] = from.as_slice() else {
        return Err(Error::unsupported("DELETE from several tables"));
    };
    let target = Target::read(executor, from)?;
    let (committed, n_rows) = write(executor.view, async || {
        let (table, partition, snapshot) = executor.writable(&target.name)?;
        let found = target.find(executor, &[], delete.selection.as_ref(), parameters).await?;
        let rows = take_rows(&table, &snapshot, &found.addresses)?;
        let n_rows = rows.n_rows;
        let tombstones = TableChange { table: Arc::clone(&table), partition: partition.clone(), state: RowState::Deleted, fresh: false, rows };
        Ok((Change { rows: vec![tombstones], catalog: None }, n_rows))
    })
    .await?;
    Ok(StatementResult::affected("DELETE", n_rows, committed.seq))
}

fn check_clauses(delete: &Delete) -> Result<()> {
    let refused = [
        (!delete.tables.is_empty(), "DELETE from several tables"),
        (delete.using.is_some(), "DELETE ... USING"),
        (delete.returning.is_some() || delete.output.is_some(), "RETURNING"),
        (!delete.order_by.is_empty() || delete.limit.is_some(), "ORDER BY and LIMIT in DELETE"),
    ];
    match refused.into_iter().find(|(present, _)| *present) {
        Some((_, what)) => Err(Error::unsupported(what)),
        None => Ok(()),
    }
}
