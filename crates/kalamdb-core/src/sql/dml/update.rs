//! UPDATE.

use datafusion::sql::sqlparser::ast::{Expr, TableWithJoins, Update, UpdateTableFromKind};

use super::assignments::{Assigned, assigned, read_assignments};
use super::returning::{Returning, result};
use super::target::{RowFilter, Search, Target};
use super::write_set::{Replacement, WriteSet, check};
use crate::catalog::Table;
use crate::error::{Result, refuse_clauses};
use crate::partition::take_rows;
use crate::result::StatementResult;
use crate::sql::parse::{Parameters, long_numbers};
use crate::sql::plan::rewrite::assign_each;
use crate::sql::plan::{StatementContext, write};

pub(crate) async fn run(
    context: &StatementContext<'_>,
    update: &Update,
    parameters: &Parameters,
) -> Result<StatementResult> {
    check_clauses(update)?;
    let target = Target::read(context, &update.table)?;
    let returning = Returning { items: update.returning.as_deref(), alias: &target.alias, parameters };
    let others: &[TableWithJoins] = match &update.from {
        Some(UpdateTableFromKind::BeforeSet(from) | UpdateTableFromKind::AfterSet(from)) => from,
        None => &[],
    };
    let each = assign_each(&update.assignments)?;
    let (committed, (n_rows, returned)) = write(context, async |context| {
        let changed = context.changeable(&target.name, "UPDATE")?;
        let assignments = read_assignments(&changed.table, &each)?;
        let planned = planned_values(&changed.table, &assignments);
        let search = Search { values: &planned, others, selection: update.selection.as_ref() };
        let found = target.find(context, &changed, RowFilter::Live, search, parameters).await?;
        let old = take_rows(&changed.table, &changed.rows, &found.addresses)?;
        let new = assigned(context, &changed, &assignments, &old, found.values).await?;
        let n_rows = new.n_rows;
        let replaced = Some(Replacement { addresses: found.addresses, old, new });
        let checked = check(context, &changed.table, &changed.partition, WriteSet { replaced, ..WriteSet::default() })?;
        let returned = returning.rows(context, &changed.table, checked.rows.as_ref(), checked.first_seq, None).await?;
        Ok((checked.change, (n_rows, returned)))
    })
    .await?;
    Ok(result("UPDATE", n_rows, committed, returned))
}

/// The expressions of a SET clause that are planned, in order.
pub(super) fn planned_values(table: &Table, assignments: &[Assigned<'_>]) -> Vec<Expr> {
    let value = |assignment: &Assigned<'_>| {
        let column = table.columns.get(assignment.column)?;
        assignment.value.map(|value| long_numbers::assigned(value, &column.sql_type))
    };
    assignments.iter().filter_map(value).collect()
}

fn check_clauses(update: &Update) -> Result<()> {
    refuse_clauses(&[
        (update.output.is_some(), "OUTPUT"),
        (update.or.is_some(), "UPDATE OR ..."),
        (!update.order_by.is_empty() || update.limit.is_some(), "ORDER BY and LIMIT in UPDATE"),
    ])
}
