//! The SET clause: which columns get which values.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::FieldRef;
use datafusion::sql::sqlparser::ast::{Assignment, AssignmentTarget, Expr, ObjectName};
use kalamdb_types::{Source, coerce};

use super::columns::{check_not_generated, is_default, system_column};
use super::counter::IdentityGenerator;
use super::target::ChangeTarget;
use crate::catalog::{Table, is_system_column};
use crate::error::{Error, ErrorKind, Result};
use crate::rows::Rows;
use crate::sql::parse::column_name;
use crate::sql::plan::StatementContext;
use crate::sql::plan::rewrite::row_members;

/// The rows with the values of a SET clause in place of their own; `values` are those of its planned expressions, in
/// order.
pub(super) async fn assigned(
    context: &StatementContext<'_>,
    target: &ChangeTarget,
    assignments: &[Assigned<'_>],
    old: &Rows,
    values: Vec<(ArrayRef, FieldRef)>,
) -> Result<Rows> {
    let mut new = old.clone();
    let mut values = values.into_iter();
    let mut counter = IdentityGenerator::new(context, &target.table, &target.partition);
    for assignment in assignments {
        let Some(definition) = target.table.columns.get(assignment.column) else { continue };
        let column = if assignment.value.is_some() {
            let (value, field) = values.next().ok_or_else(|| Error::internal("an assigned value is missing"))?;
            coerce(&value, &field, &definition.sql_type, Source::Sql)
                .map_err(|error| Error::from(error).in_column(&definition.name))?
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
    pub(crate) column: usize,
    /// The expression, or `None` for DEFAULT.
    pub(crate) value: Option<&'a Expr>,
}

pub(crate) fn read_assignments<'a>(table: &Table, assignments: &'a [Assignment]) -> Result<Vec<Assigned<'a>>> {
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

/// The columns of one assignment with their values: `a = 1`, or `(a, b) = (1, 2)`, with or without ROW.
fn pairs(assignment: &Assignment) -> Result<Vec<(&ObjectName, &Expr)>> {
    let list = match &assignment.value {
        Expr::Tuple(values) => Some(values.iter().collect()),
        value => row_members(value),
    };
    match (&assignment.target, &assignment.value, list) {
        (AssignmentTarget::ColumnName(name), value, _) => Ok(vec![(name, value)]),
        (AssignmentTarget::Tuple(names), _, Some(values)) if names.len() == values.len() => {
            Ok(names.iter().zip(values).collect())
        }
        (AssignmentTarget::Tuple(_), _, Some(_)) => {
            Err(Error::new(ErrorKind::SyntaxError, "the lists of SET differ in length"))
        }
        (AssignmentTarget::Tuple(_), _, None) => {
            Err(Error::unsupported("SET of a list of columns to anything but a list of values")
                .with_hint("set one column at a time"))
        }
    }
}
