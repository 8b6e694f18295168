//! `SELECT columns FROM table WHERE key = value`: answered by the key index, without the planner. What has any other
//! shape, and what would fail, is left to the planner.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::Schema;
use datafusion::sql::sqlparser::ast::{Expr, Ident, SelectItem, Statement as SqlStatement, WildcardAdditionalOptions};

use super::key_equality::{KeyEquality, is_plain};
use super::plain_select::PlainSelect;
use super::query::StatementContext;
use crate::catalog::Table;
use crate::error::{Error, Result};
use crate::result::StatementResult;
use crate::sql::parse::{Parameters, fold};

/// The parts of a query that has the shape.
struct PointLookup<'a> {
    /// `None`: all.
    columns: Option<Vec<&'a Ident>>,
    key: KeyEquality<'a>,
}

/// Answers a query, if it has the shape and the key is an integer or a text, as the value is.
pub(crate) fn run(
    context: &StatementContext<'_>,
    statement: &SqlStatement,
    parameters: &Parameters,
) -> Result<Option<StatementResult>> {
    let Some(select) = PlainSelect::of(statement).filter(|_| !context.call.system_columns_in_star) else {
        return Ok(None);
    };
    let Some(point) = PointLookup::of(&select) else { return Ok(None) };
    let Some(table) = &select.table(context) else { return Ok(None) };
    let Some(columns) = point.columns(table) else { return Ok(None) };
    let Some(keys) = point.key.keys(table, parameters)? else { return Ok(None) };
    let partition = table.partition(context.principal);
    let found = context.view.find(table, &partition, &keys)?.into_iter().next().flatten();
    let fields = columns.iter().filter_map(|&column| table.fields.get(column).cloned());
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let mut batches = Vec::new();
    if let Some(found) = found.filter(|found| !found.is_deleted) {
        let rows = context.view.snapshot(table, &partition)?;
        let chunk =
            rows.get(found.address.chunk()).ok_or_else(|| Error::internal("a row address is outside the table"))?;
        let values = columns
            .iter()
            .map(|&column| Ok(chunk.column(column)?.slice(found.address.row(), 1)))
            .collect::<Result<Vec<ArrayRef>>>()?;
        batches.push(RecordBatch::try_new(Arc::clone(&schema), values)?);
    }
    Ok(Some(StatementResult::rows("SELECT", &schema, batches)))
}

impl<'a> PointLookup<'a> {
    fn of(select: &PlainSelect<'a>) -> Option<Self> {
        Some(Self { columns: only_columns(select.projection)?, key: KeyEquality::of(select.selection?)? })
    }

    /// Positions of the columns wanted; `None` if one is not a column of the table's own, or is named twice.
    fn columns(&self, table: &Table) -> Option<Vec<usize>> {
        let Some(names) = &self.columns else { return Some((0..table.columns.len()).collect()) };
        let mut columns = Vec::with_capacity(names.len());
        for name in names {
            let column =
                table.column_index(&fold(name)).filter(|column| is_plain(name) && !columns.contains(column))?;
            columns.push(column);
        }
        Some(columns)
    }
}

/// The names in a SELECT list, or `Some(None)` for `*`.
fn only_columns(projection: &[SelectItem]) -> Option<Option<Vec<&Ident>>> {
    if let [SelectItem::Wildcard(options)] = projection {
        return (*options == WildcardAdditionalOptions::default()).then_some(None);
    }
    let column = |item| match item {
        &SelectItem::UnnamedExpr(Expr::Identifier(ref name)) => Some(name),
        _ => None,
    };
    projection.iter().map(column).collect::<Option<Vec<_>>>().filter(|names| !names.is_empty()).map(Some)
}
