//! The rows of an INSERT: VALUES, a query, or defaults.

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute::concat;
use datafusion::sql::sqlparser::ast::{Expr, Parens, Query, SelectItem, SetExpr, Spanned, Statement as SqlStatement};
use kalamdb_types::{Source, coerce};

use super::columns::{Given, is_default};
use super::counter::IdentityGenerator;
use super::insert::{concatenated, convert};
use super::insert_target::InsertTarget;
use super::literals;
use super::literals::Cell;
use crate::catalog::Table;
use crate::error::{Error, ErrorKind, Location, Result};
use crate::sql::parse::{Parameters, long_numbers, plain_values};
use crate::sql::plan::{QueryRows, StatementContext};

/// Evaluates what an INSERT inserts.
pub(super) async fn source(
    context: &StatementContext<'_>,
    target: &InsertTarget,
    counter: &mut IdentityGenerator<'_>,
    source: Option<&Query>,
    parameters: &Parameters,
) -> Result<(Vec<Given>, usize)> {
    let table = &target.table;
    let mut given = target.nothing_given();
    let Some(query) = source else {
        // INSERT INTO t DEFAULT VALUES
        return Ok((given, 1));
    };
    let values = plain_values(query);
    let n_given = match values {
        Some(values) => check_arity(&values.rows, target)?,
        None => target.columns.len(),
    };
    let targets = target.columns.get(..n_given).unwrap_or(&target.columns);
    let mut fill = |target: usize, values: ArrayRef| {
        if let Some(slot) = given.get_mut(target) {
            *slot = Given::Values(values);
        }
    };
    let Some(values) = values else {
        let rows = planned(context, table, targets, query.clone(), parameters).await?;
        let n_given = rows.schema.fields().len();
        if n_given > targets.len() || target.columns_named && n_given < targets.len() {
            let message = format!("INSERT gives {n_given} values for {} columns", targets.len());
            return Err(Error::new(ErrorKind::SyntaxError, message));
        }
        let columns = columns_of(&rows, table, targets)?;
        targets.iter().zip(columns).for_each(|(target, column)| fill(*target, column));
        return Ok((given, rows.n_rows()));
    };
    if let Some(rows) = literals::read(&values.rows, parameters) {
        for (at, &target) in targets.iter().enumerate() {
            let cells: Vec<&Cell<'_>> = rows.iter().filter_map(|row| row.get(at)).collect();
            if let Some(values) = literal_column(counter, table, target, &cells).await? {
                fill(target, values);
            }
        }
        return Ok((given, rows.len()));
    }
    // Expressions are planned, but for columns that are DEFAULT in every row.
    let mut planned_targets = Vec::with_capacity(targets.len());
    let mut planned_rows: Vec<Vec<Expr>> = vec![Vec::new(); values.rows.len()];
    for (at, &target) in targets.iter().enumerate() {
        let cells: Vec<&Expr> = values.rows.iter().filter_map(|row| row.content.get(at)).collect();
        match cells.iter().filter(|cell| is_default(cell)).count() {
            0 => {
                planned_targets.push(target);
                planned_rows.iter_mut().zip(cells).for_each(|(row, cell)| row.push(cell.clone()));
            }
            n if n == cells.len() => {}
            _ => {
                return Err(Error::unsupported("DEFAULT in some rows and expressions in others")
                    .with_hint("insert those rows in statements of their own"));
            }
        }
    }
    let mut query = query.clone();
    if let SetExpr::Values(values) = &mut *query.body {
        let is_one = planned_rows.len() == 1;
        for (row, mut planned) in values.rows.iter_mut().zip(planned_rows) {
            // Of several rows each is converted by itself: the planner would look for a type that all values of a
            // column have.
            planned
                .iter_mut()
                .zip(&planned_targets)
                .filter(|_| !is_one)
                .for_each(|(value, target)| convert(value, table, *target));
            *row = Parens { content: planned, ..row.clone() };
        }
    }
    let rows = planned(context, table, &planned_targets, query, parameters).await?;
    let columns = columns_of(&rows, table, &planned_targets)?;
    planned_targets.iter().zip(columns).for_each(|(target, column)| fill(*target, column));
    Ok((given, rows.n_rows()))
}

/// How many columns the rows of VALUES give: as many as are named, or the first few of all.
fn check_arity(rows: &[Parens<Vec<Expr>>], target: &InsertTarget) -> Result<usize> {
    let n_columns = target.columns.len();
    let n_given = rows.first().map_or(0, |row| row.content.len());
    for row in rows {
        let n = row.content.len();
        let what = if n != n_given {
            "the rows of VALUES differ in length".to_owned()
        } else if n > n_columns {
            format!("INSERT gives {n} values for {n_columns} columns")
        } else if target.columns_named && n < n_columns {
            format!("INSERT names {n_columns} columns and gives {n} values")
        } else {
            continue;
        };
        let location = row.content.first().map(|expr| expr.span().start).filter(|start| start.line > 0);
        let location = location.map(|start| Location { line: start.line, column: start.column });
        return Err(Error::new(ErrorKind::SyntaxError, what).with_location(location));
    }
    Ok(n_given)
}

/// A column of literals, in the column's type; `None` if every row leaves it to the default.
async fn literal_column(
    counter: &mut IdentityGenerator<'_>,
    table: &Table,
    target: usize,
    cells: &[&Cell<'_>],
) -> Result<Option<ArrayRef>> {
    let Some(definition) = table.columns.get(target) else { return Ok(None) };
    let n_defaults = cells.iter().filter(|cell| matches!(cell, Cell::Default)).count();
    if n_defaults == cells.len() {
        return Ok(None);
    }
    let in_column = |error: Error| error.in_column(&definition.name);
    if n_defaults == 0 {
        return literals::column(cells, &definition.sql_type).map(Some).map_err(in_column);
    }
    let mut parts = Vec::with_capacity(cells.len());
    for cell in cells {
        parts.push(match cell {
            Cell::Default => counter.defaults(target, 1).await?,
            _ => literals::column(&[*cell], &definition.sql_type).map_err(in_column)?,
        });
    }
    let parts: Vec<&dyn Array> = parts.iter().map(|part| part.as_ref()).collect();
    Ok(Some(concat(&parts)?))
}

/// Runs the source as a query.
async fn planned(
    context: &StatementContext<'_>,
    table: &Table,
    targets: &[usize],
    mut query: Query,
    parameters: &Parameters,
) -> Result<QueryRows> {
    let definitions = || targets.iter().filter_map(|target| table.columns.get(*target));
    match query.body.as_mut() {
        SetExpr::Values(values) => {
            for row in &mut values.rows {
                for (value, definition) in row.content.iter_mut().zip(definitions()) {
                    *value = long_numbers::assigned(value, &definition.sql_type);
                }
            }
        }
        // Of an item with * in it nobody knows yet how many columns it is.
        SetExpr::Select(select) => {
            for (item, definition) in select.projection.iter_mut().zip(definitions()) {
                match item {
                    SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. } => {
                        *value = long_numbers::assigned(value, &definition.sql_type);
                    }
                    _ => break,
                }
            }
        }
        _ => {}
    }
    context.query(SqlStatement::Query(Box::new(query)), parameters, Vec::new()).await
}

/// The columns of a query in the types of the table's.
fn columns_of(rows: &QueryRows, table: &Table, targets: &[usize]) -> Result<Vec<ArrayRef>> {
    let mut columns = Vec::with_capacity(targets.len());
    for (at, field) in rows.schema.fields().iter().enumerate() {
        let Some(definition) = targets.get(at).and_then(|target| table.columns.get(*target)) else { continue };
        let parts = rows
            .batches
            .iter()
            .map(|batch| coerce(batch.column(at), field, &definition.sql_type, Source::Sql))
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|error| Error::from(error).in_column(&definition.name))?;
        columns.push(concatenated(&parts, || definition.sql_type.arrow())?);
    }
    Ok(columns)
}
