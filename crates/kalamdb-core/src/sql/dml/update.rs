//! UPDATE.

use datafusion::sql::sqlparser::ast::{Expr, TableWithJoins, Update, UpdateTableFromKind};

use super::assignments::{Assigned, assigned, read_assignments};
use super::returning::{Returning, result};
use super::target::{ChangeTarget, RowFilter, Search, TargetName};
use super::write_set::{Replacement, WriteSet, check};
use crate::catalog::Table;
use crate::change::Change;
use crate::error::{Result, refuse_clauses};
use crate::partition::take_rows;
use crate::result::StatementResult;
use crate::sql::parse::{Parameters, long_numbers};
use crate::sql::plan::rewrite::assign_each;
use crate::sql::plan::{QueryRows, StatementContext, write};

pub(crate) async fn run(
    context: &StatementContext<'_>,
    update: &Update,
    parameters: &Parameters,
) -> Result<StatementResult> {
    check_clauses(update)?;
    let name = TargetName::read(context, &update.table)?;
    let returning = Returning { items: update.returning.as_deref(), alias: &name.alias, parameters };
    let others: &[TableWithJoins] = match &update.from {
        Some(UpdateTableFromKind::BeforeSet(from) | UpdateTableFromKind::AfterSet(from)) => from,
        None => &[],
    };
    let each = assign_each(&update.assignments)?;
    let (committed, (n_rows, returned)) = write(context, async |context| {
        let target = ChangeTarget::of(context, &name.table, &name.alias, "UPDATE")?;
        let assignments = read_assignments(&target.table, &each)?;
        let values = &planned_values(&target.table, &assignments);
        let selection = update.selection.as_ref();
        let found =
            target.find(context, Search { filter: RowFilter::Live, values, others, selection, parameters }).await?;
        let old = take_rows(&target.table, &target.rows, &found.addresses)?;
        let new = assigned(context, &target, &assignments, &old, found.values).await?;
        replace(context, &target, Replacement { addresses: found.addresses, old, new }, returning).await
    })
    .await?;
    Ok(result("UPDATE", n_rows, committed, returned))
}

/// The change that replaces rows, with their number and what is returned of them.
pub(super) async fn replace(
    context: &StatementContext<'_>,
    target: &ChangeTarget,
    replacement: Replacement,
    returning: Returning<'_>,
) -> Result<(Change, (usize, Option<QueryRows>))> {
    let ChangeTarget { table, partition, .. } = target;
    let n_rows = replacement.new.n_rows;
    let checked = check(context, table, partition, WriteSet { replaced: Some(replacement), ..WriteSet::default() })?;
    let returned = returning.rows(context, table, checked.rows.as_ref(), checked.first_seq, None).await?;
    Ok((checked.change, (n_rows, returned)))
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
