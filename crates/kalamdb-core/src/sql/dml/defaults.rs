//! The values of columns that a statement leaves to their default.

use datafusion::arrow::array::{ArrayRef, new_null_array};
use datafusion::sql::sqlparser::ast::{Expr, SelectItem, SetExpr, Statement as SqlStatement};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use kalamdb_types::{Source, coerce};

use super::insert::concatenated;
use super::literals;
use super::literals::Cell;
use crate::catalog::ColumnDef;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::parse::{Parameters, Refused, parse_expression, refuse_in_expressions};
use crate::sql::plan::StatementContext;

/// The values of `n_rows` rows for a column that a statement leaves to its default.
///
/// An expression is evaluated once a row, so that `random()` differs from row to row.
pub(crate) async fn values(context: &StatementContext<'_>, column: &ColumnDef, n_rows: usize) -> Result<ArrayRef> {
    let Some(default) = &column.default else {
        return Ok(new_null_array(&column.sql_type.arrow(), n_rows));
    };
    evaluate(context, column, default, n_rows).await.map_err(|error| error.in_column(&column.name))
}

/// Refuses a DEFAULT that could not be evaluated when a row comes.
pub(crate) async fn check(context: &StatementContext<'_>, column: &ColumnDef) -> Result<()> {
    if let Some(default) = &column.default {
        check_expression(context, column, default).await.map_err(|error| error.in_column(&column.name))?;
    }
    Ok(())
}

async fn check_expression(context: &StatementContext<'_>, column: &ColumnDef, default: &str) -> Result<()> {
    let place = "a DEFAULT";
    refuse_in_expressions(&parse_expression(default)?, place, &[Refused::Subqueries, Refused::Parameters])?;
    // Two rows: an aggregate would make one of them.
    match evaluate(context, column, default, 2).await {
        Err(error) if error.kind() == ErrorKind::UndefinedColumn => {
            Err(Error::new(ErrorKind::InvalidTableDefinition, format!("{place} cannot name columns")))
        }
        Err(error) => Err(error),
        Ok(values) if values.len() != 2 => Err(Refused::Aggregates.within(place)),
        Ok(_) => Ok(()),
    }
}

async fn evaluate(
    context: &StatementContext<'_>,
    column: &ColumnDef,
    default: &str,
    n_rows: usize,
) -> Result<ArrayRef> {
    let expr = parse_expression(default)?;
    let parameters = Parameters::default();
    if let Some(cell) = literals::cell(&expr, &parameters) {
        let cells: Vec<&Cell<'_>> = vec![&cell; n_rows];
        return literals::column(&cells, &column.sql_type);
    }
    let rows = context.query(query(expr, n_rows)?, &parameters, Vec::new()).await?;
    let field = rows.schema.fields().first().ok_or_else(|| Error::internal("a DEFAULT has one value"))?;
    let parts = rows
        .batches
        .iter()
        .map(|batch| coerce(batch.column(0), field, &column.sql_type, Source::Sql))
        .collect::<std::result::Result<Vec<_>, _>>()?;
    concatenated(&parts, || column.sql_type.arrow())
}

/// `SELECT expr` for each of `n_rows` rows.
fn query(expr: Expr, n_rows: usize) -> Result<SqlStatement> {
    let template = format!("SELECT 1 FROM generate_series(1, {n_rows}) AS \"\0rows\" (\"\0row\")");
    let mut statement =
        Parser::parse_sql(&GenericDialect {}, &template)?.pop().ok_or_else(|| Error::internal("no template"))?;
    if let SqlStatement::Query(query) = &mut statement
        && let SetExpr::Select(select) = &mut *query.body
    {
        select.projection = vec![SelectItem::UnnamedExpr(expr)];
    }
    Ok(statement)
}
