//! FLUSH and COMPACT: where rows are stored, not what they are.

use std::sync::Arc;

use crate::access::{Action, Target};
use crate::catalog::{Table, is_kept_in_segments};
use crate::error::{Error, ErrorKind, Result};
use crate::result::StatementResult;
use crate::sql::parse::{Maintenance, table_name};
use crate::sql::plan::StatementContext;

/// Stores the rows of one table, or of all, as segments, of every user; gives how many rows were stored anew.
pub(crate) async fn maintain(context: &StatementContext<'_>, maintenance: &Maintenance) -> Result<StatementResult> {
    let Maintenance { table: name, compacts } = maintenance;
    let tag = maintenance.tag();
    context.principal.require(Action::Maintain, Target::Segments, || tag.to_owned())?;
    if context.view.transaction().is_some() {
        return Err(Error::new(ErrorKind::InvalidTransactionState, format!("{tag} cannot run within a transaction")));
    }
    let database = context.view.database;
    database.refresh().await?;
    let catalog = database.catalog();
    let tables: Vec<Arc<Table>> = match name {
        Some(name) => {
            let table = catalog.require_table(&table_name(name, &context.namespace)?)?;
            if !is_kept_in_segments(table) {
                return Err(Error::unsupported_on_streams(tag));
            }
            vec![Arc::clone(table)]
        }
        None => catalog.tables().filter(|table| is_kept_in_segments(table)).cloned().collect(),
    };
    let mut n_rows = 0;
    for table in tables {
        for partition in context.view.partitions_of(table.id) {
            n_rows += match compacts {
                true => database.compact(&partition, context.call).await?,
                false => database.flush(&partition, context.call).await?,
            };
        }
    }
    if *compacts && name.is_none() {
        database.collect_orphans().await?;
    }
    Ok(StatementResult::affected(tag, n_rows, None))
}
