//! `SELECT items FROM table [WHERE condition]` and nothing more: the shape of queries that go a short way.

use std::sync::Arc;

use datafusion::catalog::information_schema::INFORMATION_SCHEMA;
use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, ObjectName, Query, Select, SelectFlavor, SelectItem, SetExpr, Statement as SqlStatement,
    TableFactor, TableWithJoins,
};

use super::key_equality::is_plain;
use super::query::StatementContext;
use crate::catalog::{Table, TableKind};
use crate::sql::parse::table_name;
use crate::sql::system::SYSTEM_SCHEMA;

/// The parts of a query that has the shape.
pub(super) struct PlainSelect<'a> {
    name: &'a ObjectName,
    pub(super) projection: &'a [SelectItem],
    pub(super) selection: Option<&'a Expr>,
}

impl<'a> PlainSelect<'a> {
    pub(super) fn of(statement: &'a SqlStatement) -> Option<Self> {
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
            selection,
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
        Some(Self { name: only_table(from)?, projection, selection: selection.as_ref() }).filter(|_| is_plain)
    }

    /// The stored table that the query reads; `None` if it reads a view, a stream, what the system tells of itself, or
    /// what is not there or not for the principal.
    pub(super) fn table(&self, context: &StatementContext<'_>) -> Option<Arc<Table>> {
        let is_plain = self.name.0.iter().all(|part| part.as_ident().is_some_and(is_plain));
        let name = table_name(self.name, &context.namespace).ok().filter(|_| is_plain)?;
        let catalog = context.view.catalog();
        let is_stored = name.namespace != SYSTEM_SCHEMA
            && name.namespace != INFORMATION_SCHEMA
            && catalog.find_view(&name).is_none();
        catalog
            .find(&name)
            .filter(|table| is_stored && table.kind != TableKind::Stream && table.is_readable(context.principal))
            .cloned()
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
