use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::FieldRef;
use datafusion::sql::sqlparser::ast::{Assignment, AssignmentTarget, Expr, ObjectName, TableWithJoins, Update, UpdateTableFromKind};
use kalamdb_types::{Source, coerce};

use super::Parameters;
use super::checked::{Replacement, Written, check};
use super::counter::Counter;
use super::execute::{Changeable, Executor};
use super::insert::{check_not_generated, is_default, system_column};
use super::long_numbers;
use super::names::column_name;
use super::returning::{Returning, result};
use super::target::{Search, Target, Which};
use crate::catalog::{Table, is_system_column};
use crate::error::{Error, ErrorKind, Result};
use crate::result::StatementResult;
use crate::write::{Rows, take_rows, write};

pub(super) async fn run(executor: &Executor<'_>, update: &Update, parameters: &Parameters) -> Result<StatementResult> {
    check_clauses(update)?;
    let target = Target::read(executor, &update.table)?;
    let returning = Returning { items: update.returning.as_deref(), alias: &target.alias, parameters };
    let others: &[TableWithJoins] = match &update.from {
        Some(UpdateTableFromKind::BeforeSet(from) | UpdateTableFromKind::AfterSet(from)) => from,
        None => &[],
    };
    let (committed, (n_rows, returned)) = write(executor.view, async || {
        let changed = executor.changeable(&target.name, "UPDATE")?;
        let assignments = read_assignments(&changed.table, &update.assignments)?;
        let planned = planned_values(&changed.table, &assignments);
        let search = Search { values: &planned, others, selection: update.selection.as_ref() };
        let found = target.find(executor, &changed, Which::Live, search, parameters).await?;
        let old = take_rows(&changed.table, &changed.rows, &found.addresses)?;
        let new = assigned(executor, &changed, &assignments, &old, found.values).await?;
        let n_rows = new.n_rows;
        let replaced = Some(Replacement { addresses: found.addresses, old, new });
        let checked = check(executor, &changed.table, &changed.partition, Written { replaced, ..Written::default() })?;
        let returned = returning.rows(executor, &changed.table, checked.rows.as_ref(), checked.first_seq, None).await?;
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
    let refused = [
        (update.output.is_some(), "OUTPUT"),
        (update.or.is_some(), "UPDATE OR ..."),
        (!update.order_by.is_empty() || update.limit.is_some(), "ORDER BY and LIMIT in UPDATE"),
    ];
    match refused.into_iter().find(|(present, _)| *present) {
        Some((_, what)) => Err(Error::unsupported(what)),
        None => Ok(()),
    }
}

/// The rows with the values of a SET clause in place of their own; `values` are those of its planned expressions, in order.
pub(super) async fn assigned(
    executor: &Executor<'_>,
    changed: &Changeable,
    assignments: &[Assigned<'_>],
    old: &Rows,
    values: Vec<(ArrayRef, FieldRef)>,
) -> Result<Rows> {
    let mut new = old.clone();
    let mut values = values.into_iter();
    let mut counter = Counter::new(executor, &changed.table, &changed.partition);
    for assignment in assignments {
        let Some(definition) = changed.table.columns.get(assignment.column) else { continue };
        let column = if assignment.value.is_some() {
            let (value, field) = values.next().ok_or_else(|| Error::internal("an assigned value is missing"))?;
            coerce(&value, &field, &definition.sql_type, Source::Sql).map_err(|error| Error::from(error).in_column(&definition.name))?
        } else {
            counter.defaults(assignment.column, old.n_rows).await?
        };
        if let Some(slot) = new.columns.get_mut(assignment.column) {
            *slot = column;
        }
    }
    Ok(new)
}

/// One column of a SET clause.
#[derive(Debug, Clone, Copy)]
pub(super) struct Assigned<'a> {
    pub(super) column: usize,
    /// The expression, or `None` for DEFAULT.
    pub(super) value: Option<&'a Expr>,
}

pub(super) fn read_assignments<'a>(table: &Table, assignments: &'a [Assignment]) -> Result<Vec<Assigned<'a>>> {
    let mut assigned: Vec<Assigned<'a>> = Vec::with_capacity(assignments.len());
    for (name, value) in assignments.iter().map(pairs).collect::<Result<Vec<_>>>()?.into_iter().flatten() {
        let name = column_name(name)?;
        if is_system_column(&name) {
            return Err(system_column(&name));
        }
        let column = table.require_column(&name)?;
        if assigned.iter().any(|other| other.column == column) {
            return Err(Error::new(ErrorKind::DuplicateColumn, format!("column {name} is set twice")));
        }
        if !is_default(value) {
            check_not_generated(table, column)?;
        }
        assigned.push(Assigned { column, value: (!is_default(value)).then_some(value) });
    }
    Ok(assigned)
}

/// The columns of one assignment with their values: `a = 1`, or `(a, b) = (1, 2)`.
fn pairs(assignment: &Assignment) -> Result<Vec<(&ObjectName, &Expr)>> {
    match (&assignment.target, &assignment.value) {
        (AssignmentTarget::ColumnName(name), value) => Ok(vec![(name, value)]),
        (AssignmentTarget::Tuple(names), Expr::Tuple(values)) if names.len() == values.len() => Ok(names.iter().zip(values).collect()),
        (AssignmentTarget::Tuple(_), Expr::Tuple(_)) => Err(Error::new(ErrorKind::SyntaxError, "the lists of SET differ in length")),
        (AssignmentTarget::Tuple(_), _) => {
            Err(Error::unsupported("SET of a list of columns to anything but a list of values").with_hint("set one column at a time"))
        }
    }
}
