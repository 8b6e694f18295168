//! The columns that an INSERT names, and what it gives for them.

use datafusion::arrow::array::ArrayRef;
use datafusion::sql::sqlparser::ast::Expr;

use crate::catalog::{Table, is_system_column};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::parse::Overriding;

/// What an INSERT gives for one column of the table.
pub(super) enum Given {
    /// Values, in the column's type.
    Values(ArrayRef),
    /// Nothing: the column's DEFAULT.
    Default,
}

/// Positions of the named columns, or of all columns where none is named.
pub(super) fn target_columns(table: &Table, names: &[String]) -> Result<Vec<usize>> {
    if names.is_empty() {
        return Ok((0..table.columns.len()).collect());
    }
    let mut targets = Vec::with_capacity(names.len());
    for name in names {
        if is_system_column(name) {
            return Err(system_column(name));
        }
        let target = table.require_column(name)?;
        if targets.contains(&target) {
            return Err(Error::new(ErrorKind::DuplicateColumn, format!("column {name} is given twice")));
        }
        targets.push(target);
    }
    Ok(targets)
}

/// Refuses values for columns that are GENERATED ALWAYS, or lets them go.
pub(super) fn check_generated(table: &Table, given: &mut [Given], overriding: Option<Overriding>) -> Result<()> {
    for (at, given) in given.iter_mut().enumerate().filter(|(_, given)| matches!(given, Given::Values(_))) {
        match overriding {
            None => check_not_generated(table, at)?,
            Some(Overriding::SystemValue) => {}
            Some(Overriding::UserValue) if table.columns.get(at).is_some_and(|column| column.auto_increment) => {
                *given = Given::Default
            }
            Some(Overriding::UserValue) => {}
        }
    }
    Ok(())
}

pub(crate) fn check_not_generated(table: &Table, column: usize) -> Result<()> {
    match table.columns.get(column) {
        Some(column) if column.generated_always => {
            let message = format!("column {} is GENERATED ALWAYS and takes no other values", column.name);
            Err(Error::new(ErrorKind::GeneratedAlways, message)
                .with_hint("leave it out, or write INSERT ... OVERRIDING SYSTEM VALUE"))
        }
        _ => Ok(()),
    }
}

pub(crate) fn system_column(name: &str) -> Error {
    Error::new(
        ErrorKind::CannotModifySystemColumn,
        format!("column {name} is filled in by the engine and cannot be written"),
    )
}

pub(crate) fn is_default(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(ident) if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("default"))
}
