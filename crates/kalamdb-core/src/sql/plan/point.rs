//! `SELECT columns FROM table WHERE key = value`: answered by the key index, without the planner. What has any other
//! shape, and what would fail, is left to the planner.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::Schema;
use datafusion::catalog::information_schema::INFORMATION_SCHEMA;
use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, Ident, ObjectName, Query, Select, SelectFlavor, SelectItem, SetExpr, Statement as SqlStatement,
    TableFactor, TableWithJoins, WildcardAdditionalOptions,
};

use super::key_equality::{KeyEquality, is_plain};
use super::query::StatementContext;
use crate::catalog::{Table, TableKind};
use crate::error::{Error, Result};
use crate::result::StatementResult;
use crate::sql::parse::{Parameters, fold, table_name};
use crate::sql::system::SYSTEM_SCHEMA;

/// The parts of a query that has the shape.
struct PointLookup<'a> {
    table: &'a ObjectName,
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
    let Some(point) = PointLookup::of(statement).filter(|_| !context.call.system_columns_in_star) else {
        return Ok(None);
    };
    let Some(name) = table_name(point.table, &context.namespace)
        .ok()
        .filter(|_| point.table.0.iter().all(|part| part.as_ident().is_some_and(is_plain)))
    else {
        return Ok(None);
    };
    let catalog = context.view.catalog();
    let is_stored =
        name.namespace != SYSTEM_SCHEMA && name.namespace != INFORMATION_SCHEMA && catalog.find_view(&name).is_none();
    let Some(table) = catalog.find(&name).filter(|table| is_stored && table.kind != TableKind::Stream) else {
        return Ok(None);
    };
    let Some(columns) = point.columns(table).filter(|_| table.is_readable(context.principal)) else {
        return Ok(None);
    };
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
    fn of(statement: &'a SqlStatement) -> Option<Self> {
        let SqlStatement::Query(query) = statement else { return None };
        let Query {
            with: None,
            body,
            order_by: None,
            limit_clause: None,
            fetch: None,
            locks,
            for_clause: None,
            settings: None,
            format_clause: None,
            pipe_operators,
        } = &**query
        else {
            return None;
        };
        let SetExpr::Select(select) = &**body else { return None };
        let Select {
            select_token: _,
            optimizer_hints,
            distinct: None,
            select_modifiers: None,
            top: None,
            top_before_distinct: _,
            projection,
            exclude: None,
            into: None,
            from,
            lateral_views,
            prewhere: None,
            selection: Some(selection),
            connect_by,
            group_by: GroupByExpr::Expressions(group_by, modifiers),
            cluster_by,
            distribute_by,
            sort_by,
            having: None,
            named_window,
            qualify: None,
            window_before_qualify: _,
            value_table_mode: None,
            flavor: SelectFlavor::Standard,
        } = &**select
        else {
            return None;
        };
        let is_plain = locks.is_empty()
            && pipe_operators.is_empty()
            && optimizer_hints.is_empty()
            && lateral_views.is_empty()
            && connect_by.is_empty()
            && group_by.is_empty()
            && modifiers.is_empty()
            && cluster_by.is_empty()
            && distribute_by.is_empty()
            && sort_by.is_empty()
            && named_window.is_empty();
        Some(Self { table: only_table(from)?, columns: only_columns(projection)?, key: KeyEquality::of(selection)? })
            .filter(|_| is_plain)
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

fn only_table(from: &[TableWithJoins]) -> Option<&ObjectName> {
    let [TableWithJoins { relation, joins }] = from else { return None };
    let TableFactor::Table {
        name,
        alias: None,
        args: None,
        with_hints,
        version: None,
        with_ordinality: false,
        partitions,
        json_path: None,
        sample: None,
        index_hints,
    } = relation
    else {
        return None;
    };
    let is_plain = joins.is_empty() && with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty();
    is_plain.then_some(name)
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
