use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::UInt32Array;
use datafusion::sql::sqlparser::ast::{Assignment, AssignmentTarget, Expr, Update};
use kalamdb_store::RowState;
use kalamdb_types::{Source, coerce};

use super::execute::Executor;
use super::insert::system_column;
use super::names::column_name;
use super::target::Target;
use super::{Parameters, defaults};
use crate::catalog::{Table, is_system_column};
use crate::error::{Error, ErrorKind, Result};
use crate::partition::{Keys, RowAddress};
use crate::result::StatementResult;
use crate::write::{Change, Rows, TableChange, check_not_null, check_unique, take_rows, write};

pub(super) async fn run(executor: &Executor<'_>, update: &Update, parameters: &Parameters) -> Result<StatementResult> {
    check_clauses(update)?;
    let target = Target::read(executor, &update.table)?;
    let (committed, n_rows) = write(executor.view, async || compute(executor, update, &target, parameters).await).await?;
    Ok(StatementResult::affected("UPDATE", n_rows, committed.seq))
}

fn check_clauses(update: &Update) -> Result<()> {
    let refused = [
        (update.from.is_some(), "UPDATE ... FROM"),
        (update.returning.is_some() || update.output.is_some(), "RETURNING"),
        (update.or.is_some(), "UPDATE OR ..."),
        (!update.order_by.is_empty() || update.limit.is_some(), "ORDER BY and LIMIT in UPDATE"),
    ];
    match refused.into_iter().find(|(present, _)| *present) {
        Some((_, what)) => Err(Error::unsupported(what)),
        None => Ok(()),
    }
}

async fn compute(executor: &Executor<'_>, update: &Update, target: &Target, parameters: &Parameters) -> Result<(Change, usize)> {
    let (table, partition, snapshot) = executor.writable(&target.name)?;
    let assignments = read_assignments(&table, &update.assignments)?;
    let planned: Vec<Expr> = assignments.iter().filter_map(|assignment| assignment.value.cloned()).collect();
    let found = target.find(executor, &planned, update.selection.as_ref(), parameters).await?;
    if found.addresses.is_empty() {
        return Ok((Change::default(), 0));
    }
    let old = take_rows(&table, &snapshot, &found.addresses)?;
    let mut new = old.clone();
    let mut values = found.values.into_iter();
    for assignment in &assignments {
        let Some(definition) = table.columns.get(assignment.column) else { continue };
        let column = if assignment.value.is_some() {
            let (value, field) = values.next().ok_or_else(|| Error::internal("an assigned value is missing"))?;
            coerce(&value, &field, &definition.sql_type, Source::Sql).map_err(|error| Error::from(error).in_column(&definition.name))?
        } else {
            defaults::values(executor, definition, old.n_rows).await?
        };
        if let Some(slot) = new.columns.get_mut(assignment.column) {
            *slot = column;
        }
    }
    check_not_null(&table, &new)?;
    let replaced: HashSet<RowAddress> = found.addresses.into_iter().collect();
    let n_rows = new.n_rows;
    let moves_keys = assignments.iter().any(|assignment| table.primary_key.contains(&assignment.column));
    let mut rows = Vec::new();
    if moves_keys {
        check_unique(executor.view, &table, &partition, &new, &replaced)?;
        // A row whose key changes leaves a tombstone behind and is new under its new key.
        let moved = rows_with_other_keys(&table, &old, &new)?;
        rows.push(TableChange {
            table: Arc::clone(&table),
            partition: partition.clone(),
            state: RowState::Deleted,
            fresh: false,
            rows: old.select(&moved)?,
        });
    }
    rows.push(TableChange { table, partition, state: RowState::Live, fresh: false, rows: new });
    Ok((Change { rows, catalog: None }, n_rows))
}

/// One column of a SET clause.
struct Assigned<'a> {
    column: usize,
    /// The expression, or `None` for DEFAULT.
    value: Option<&'a Expr>,
}

fn read_assignments<'a>(table: &Table, assignments: &'a [Assignment]) -> Result<Vec<Assigned<'a>>> {
    let mut assigned: Vec<Assigned<'a>> = Vec::with_capacity(assignments.len());
    for assignment in assignments {
        let AssignmentTarget::ColumnName(name) = &assignment.target else {
            return Err(Error::unsupported("SET of a list of columns").with_hint("set one column at a time"));
        };
        let name = column_name(name)?;
        if is_system_column(&name) {
            return Err(system_column(&name));
        }
        let column = table.require_column(&name)?;
        if assigned.iter().any(|other| other.column == column) {
            return Err(Error::new(ErrorKind::DuplicateColumn, format!("column {name} is set twice")));
        }
        let is_default =
            matches!(&assignment.value, Expr::Identifier(ident) if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("default"));
        assigned.push(Assigned { column, value: (!is_default).then_some(&assignment.value) });
    }
    Ok(assigned)
}

fn rows_with_other_keys(table: &Table, old: &Rows, new: &Rows) -> Result<UInt32Array> {
    let keys = |rows: &Rows| Keys::of_columns(table, |index| rows.column(index));
    let differ: Vec<bool> = match (keys(old)?, keys(new)?) {
        (Keys::Integers(old), Keys::Integers(new)) => old.iter().zip(&new).map(|(old, new)| old != new).collect(),
        (Keys::Bytes(old), Keys::Bytes(new)) => old.iter().zip(new.iter()).map(|(old, new)| old.data() != new.data()).collect(),
        _ => return Err(Error::internal("the keys of one table differ in kind")),
    };
    Ok(differ.iter().zip(0_u32..).filter(|(differs, _)| **differs).map(|(_, row)| row).collect())
}
