use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute::concat;
use datafusion::sql::sqlparser::ast::{Expr, Insert, Parens, Query, SetExpr, Spanned, Statement as SqlStatement, TableObject, Values};
use kalamdb_types::{Source, coerce};
use std::sync::Arc;

use super::checked::{Written, check};
use super::counter::Counter;
use super::engine_query::column;
use super::execute::Executor;
use super::literals::{self, Cell};
use super::long_numbers;
use super::names::{column_name, table_name};
use super::returning::{Returning, result};
use super::{Parameters, conflict};
use crate::catalog::{Table, TableName, is_system_column};
use crate::error::{Error, ErrorKind, Location, Result};
use crate::result::StatementResult;
use crate::write::{Change, Rows, check_not_null, write};

/// What becomes of values for columns that are generated, where an INSERT says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overriding {
    /// The values given are taken.
    SystemValue,
    /// The values given are not.
    UserValue,
}

/// What an INSERT gives for one column of the table.
pub(crate) enum Given {
    /// Values, in the column's type.
    Values(ArrayRef),
    /// Nothing: the column's DEFAULT.
    Default,
}

pub(super) async fn run(
    executor: &Executor<'_>,
    insert: &Insert,
    overriding: Option<Overriding>,
    parameters: &Parameters,
) -> Result<StatementResult> {
    check_clauses(insert)?;
    let TableObject::TableName(name) = &insert.table else {
        return Err(Error::unsupported("INSERT into anything but a table"));
    };
    let name = table_name(name, &executor.namespace)?;
    let columns = insert.columns.iter().map(column_name).collect::<Result<Vec<_>>>()?;
    let alias = insert.table_alias.as_ref().map_or_else(|| column(&name.table), |alias| alias.alias.clone());
    let on_conflict = conflict::Conflict::of(insert)?;
    let returning = Returning { items: insert.returning.as_deref(), alias: &alias, parameters };
    let (committed, (n_rows, returned)) = write(executor.view, async || {
        let (table, partition) = executor.writable(&name)?;
        let targets = target_columns(&table, &columns)?;
        let mut counter = Counter::new(executor, &table, &partition);
        let (mut given, n_rows) = source(executor, &table, &mut counter, insert.source.as_deref(), &targets, !columns.is_empty(), parameters).await?;
        check_generated(&table, &mut given, overriding)?;
        let proposed = complete(&mut counter, &table, given, n_rows).await?;
        let (written, order) = match &on_conflict {
            None => (Written { inserted: Some(proposed), ..Written::default() }, None),
            Some(conflict::Conflict::Replace) => {
                let changed = executor.changeable(&name, "REPLACE")?;
                check_not_null(&table, &proposed)?;
                (conflict::displace(executor, &changed, &proposed)?, None)
            }
            Some(conflict::Conflict::Clause(clause)) => {
                let changed = executor.changeable(&name, "ON CONFLICT")?;
                // A row that meets another must itself keep the constraints, whatever becomes of it.
                check_not_null(&table, &proposed)?;
                let resolved = conflict::resolve(executor, &changed, &alias, clause, &proposed, parameters).await?;
                (resolved.written, Some(resolved.order))
            }
        };
        let checked = check(executor, &table, &partition, written)?;
        let n_rows = checked.rows.as_ref().map_or(0, |rows| rows.n_rows);
        let returned = returning.rows(executor, &table, checked.rows.as_ref(), checked.first_seq, order).await?;
        Ok((kept(executor, &table, checked.change), (n_rows, returned)))
    })
    .await?;
    Ok(result("INSERT", n_rows, committed, returned))
}

/// How many rows an INSERT of columns has, and how many of the columns that it names, or else of all, are given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    pub(crate) n_rows: usize,
    pub(crate) n_columns: usize,
}

/// Inserts a block of columns, as [`change_of_columns`] says.
pub(crate) async fn insert_columns(
    executor: &Executor<'_>,
    name: &TableName,
    columns: &[String],
    block: Block,
    mut convert: impl FnMut(&Table, usize, usize) -> Result<ArrayRef>,
) -> Result<StatementResult> {
    let compute = async || Ok((change_of_columns(executor, name, columns, None, block, &mut convert).await?, ()));
    let (committed, ()) = write(executor.view, compute).await?;
    Ok(StatementResult::affected("INSERT", block.n_rows, committed.seq))
}

/// What inserting a block of columns changes, each in the type of the table's column: `convert` gets the table, the place of the column
/// in the block and that in the table.
pub(super) async fn change_of_columns(
    executor: &Executor<'_>,
    name: &TableName,
    columns: &[String],
    overriding: Option<Overriding>,
    block: Block,
    convert: &mut impl FnMut(&Table, usize, usize) -> Result<ArrayRef>,
) -> Result<Change> {
    let (table, partition) = executor.writable(name)?;
    let targets = target_columns(&table, columns)?;
    let mut given: Vec<Given> = table.columns.iter().map(|_| Given::Default).collect();
    for (position, &target) in targets.iter().enumerate().take(block.n_columns) {
        let values = convert(&table, position, target)?;
        if let Some(slot) = given.get_mut(target) {
            *slot = Given::Values(values);
        }
    }
    let mut counter = Counter::new(executor, &table, &partition);
    check_generated(&table, &mut given, overriding)?;
    let inserted = Some(complete(&mut counter, &table, given, block.n_rows).await?);
    let checked = check(executor, &table, &partition, Written { inserted, ..Written::default() })?;
    Ok(kept(executor, &table, checked.change))
}

/// Events that nobody is subscribed to are not kept where the stream says so.
fn kept(executor: &Executor<'_>, table: &Table, change: Change) -> Change {
    if table.options.ephemeral && executor.view.n_subscribers(table.id) == 0 { Change::default() } else { change }
}

pub(super) fn check_clauses(insert: &Insert) -> Result<()> {
    let refused = [
        (insert.overwrite, "INSERT OVERWRITE"),
        (insert.insert_alias.is_some(), "an alias of the rows in INSERT"),
        (insert.partitioned.is_some() || !insert.after_columns.is_empty(), "PARTITION in INSERT"),
        (!insert.assignments.is_empty(), "SET in INSERT"),
        (
            insert.priority.is_some() || insert.settings.is_some() || insert.format_clause.is_some() || insert.output.is_some(),
            "a clause of this INSERT",
        ),
        (insert.multi_table_insert_type.is_some() || !insert.multi_table_into_clauses.is_empty(), "INSERT into several tables"),
    ];
    match refused.into_iter().find(|(present, _)| *present) {
        Some((_, what)) => Err(Error::unsupported(what)),
        None => Ok(()),
    }
}

/// Positions of the named columns, or of all columns where none is named.
fn target_columns(table: &Table, names: &[String]) -> Result<Vec<usize>> {
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
fn check_generated(table: &Table, given: &mut [Given], overriding: Option<Overriding>) -> Result<()> {
    for (at, given) in given.iter_mut().enumerate().filter(|(_, given)| matches!(given, Given::Values(_))) {
        match overriding {
            None => check_not_generated(table, at)?,
            Some(Overriding::SystemValue) => {}
            Some(Overriding::UserValue) if table.columns.get(at).is_some_and(|column| column.auto_increment) => *given = Given::Default,
            Some(Overriding::UserValue) => {}
        }
    }
    Ok(())
}

pub(super) fn check_not_generated(table: &Table, column: usize) -> Result<()> {
    match table.columns.get(column) {
        Some(column) if column.generated_always => {
            let message = format!("column {} is GENERATED ALWAYS and takes no other values", column.name);
            Err(Error::new(ErrorKind::GeneratedAlways, message).with_hint("leave it out, or write INSERT ... OVERRIDING SYSTEM VALUE"))
        }
        _ => Ok(()),
    }
}

pub(super) fn system_column(name: &str) -> Error {
    Error::new(ErrorKind::CannotModifySystemColumn, format!("column {name} is filled in by the engine and cannot be written"))
}

/// Evaluates what an INSERT inserts.
async fn source(
    executor: &Executor<'_>,
    table: &Table,
    counter: &mut Counter<'_>,
    source: Option<&Query>,
    targets: &[usize],
    columns_named: bool,
    parameters: &Parameters,
) -> Result<(Vec<Given>, usize)> {
    let mut given: Vec<Given> = table.columns.iter().map(|_| Given::Default).collect();
    let Some(query) = source else {
        // INSERT INTO t DEFAULT VALUES
        return Ok((given, 1));
    };
    let values = plain_values(query);
    let n_given = match values {
        Some(values) => check_arity(&values.rows, targets, columns_named)?,
        None => targets.len(),
    };
    let targets = targets.get(..n_given).unwrap_or(targets);
    let mut fill = |target: usize, values: ArrayRef| {
        if let Some(slot) = given.get_mut(target) {
            *slot = Given::Values(values);
        }
    };
    let Some(values) = values else {
        let (columns, n_rows) = planned(executor, table, query.clone(), targets, columns_named, parameters).await?;
        targets.iter().zip(columns).for_each(|(target, column)| fill(*target, column));
        return Ok((given, n_rows));
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
                return Err(
                    Error::unsupported("DEFAULT in some rows and expressions in others").with_hint("insert those rows in statements of their own")
                );
            }
        }
    }
    let mut query = query.clone();
    if let SetExpr::Values(values) = &mut *query.body {
        for (row, planned) in values.rows.iter_mut().zip(planned_rows) {
            *row = Parens { content: planned, ..row.clone() };
        }
    }
    let (columns, n_rows) = planned(executor, table, query, &planned_targets, true, parameters).await?;
    planned_targets.iter().zip(columns).for_each(|(target, column)| fill(*target, column));
    Ok((given, n_rows))
}

pub(super) fn is_default(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(ident) if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("default"))
}

pub(super) fn plain_values(query: &Query) -> Option<&Values> {
    let plain = query.with.is_none() && query.order_by.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
    match &*query.body {
        SetExpr::Values(values) if plain => Some(values),
        _ => None,
    }
}

/// How many columns the rows of VALUES give: as many as are named, or the first few of all.
fn check_arity(rows: &[Parens<Vec<Expr>>], targets: &[usize], columns_named: bool) -> Result<usize> {
    let n_given = rows.first().map_or(0, |row| row.content.len());
    for row in rows {
        let n = row.content.len();
        let what = if n != n_given {
            "the rows of VALUES differ in length".to_owned()
        } else if n > targets.len() {
            format!("INSERT gives {n} values for {} columns", targets.len())
        } else if columns_named && n < targets.len() {
            format!("INSERT names {} columns and gives {n} values", targets.len())
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
async fn literal_column(counter: &mut Counter<'_>, table: &Table, target: usize, cells: &[&Cell<'_>]) -> Result<Option<ArrayRef>> {
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

/// Runs the source as a query and converts its columns to those of the table.
async fn planned(
    executor: &Executor<'_>,
    table: &Table,
    query: Query,
    targets: &[usize],
    columns_named: bool,
    parameters: &Parameters,
) -> Result<(Vec<ArrayRef>, usize)> {
    let mut query = query;
    if let SetExpr::Values(values) = query.body.as_mut() {
        for row in &mut values.rows {
            for (value, definition) in row.content.iter_mut().zip(targets.iter().filter_map(|target| table.columns.get(*target))) {
                *value = long_numbers::assigned(value, &definition.sql_type);
            }
        }
    }
    let rows = executor.query(SqlStatement::Query(Box::new(query)), parameters, Vec::new()).await?;
    let n_given = rows.schema.fields().len();
    if n_given > targets.len() || columns_named && n_given < targets.len() {
        let message = format!("INSERT gives {n_given} values for {} columns", targets.len());
        return Err(Error::new(ErrorKind::SyntaxError, message));
    }
    let n_rows = rows.batches.iter().map(|batch| batch.num_rows()).sum();
    let mut columns = Vec::with_capacity(n_given);
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
    Ok((columns, n_rows))
}

pub(super) fn concatenated(parts: &[ArrayRef], data_type: impl FnOnce() -> datafusion::arrow::datatypes::DataType) -> Result<ArrayRef> {
    match parts {
        [] => Ok(datafusion::arrow::array::new_empty_array(&data_type())),
        [only] => Ok(Arc::clone(only)),
        parts => {
            let parts: Vec<&dyn Array> = parts.iter().map(|part| part.as_ref()).collect();
            Ok(concat(&parts)?)
        }
    }
}

/// Fills in defaults.
async fn complete(counter: &mut Counter<'_>, table: &Table, given: Vec<Given>, n_rows: usize) -> Result<Rows> {
    let mut columns = Vec::with_capacity(given.len());
    for (at, given) in given.into_iter().enumerate().take(table.columns.len()) {
        columns.push(match given {
            Given::Values(values) => values,
            Given::Default => counter.defaults(at, n_rows).await?,
        });
    }
    Ok(Rows { columns, row_ids: None, n_rows })
}
