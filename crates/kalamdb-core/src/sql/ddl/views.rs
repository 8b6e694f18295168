//! CREATE VIEW and DROP VIEW.

use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::sql::sqlparser::ast::{CreateTableOptions, CreateView, ObjectName, Query, visit_relations};

use super::dependents::dependents_to_drop;
use super::next_catalog::{NextCatalog, commit};
use crate::catalog::{StoredView, TableName, check_column_name, check_table_name};
use crate::change::Change;
use crate::error::{Error, ErrorKind, Result, refuse_clauses};
use crate::sql::parse::{Refused, fold, refuse_in_expressions, table_name};
use crate::sql::plan::StatementContext;

pub(super) async fn create(context: &StatementContext<'_>, create: &CreateView) -> Result<()> {
    check_clauses(create)?;
    let name = table_name(&create.name, &context.namespace)?;
    check_table_name(&name)?;
    let columns: Vec<String> = create.columns.iter().map(|column| fold(&column.name)).collect();
    columns.iter().try_for_each(|column| check_column_name(column))?;
    let reads = reads(&create.query, &context.namespace);
    commit(context, async |context| {
        let mut next = NextCatalog::begin(context);
        next.catalog.require_namespace(&name.namespace)?;
        let replaced = next.catalog.find_view(&name).cloned();
        match &replaced {
            Some(_) if create.if_not_exists => return Ok(Change::default()),
            Some(_) if create.or_replace => {}
            None if next.catalog.find(&name).is_some() && create.or_replace => {
                return Err(Error::new(ErrorKind::WrongObjectType, format!("{name} is a table, not a view")));
            }
            None if next.catalog.find(&name).is_some() && create.if_not_exists => return Ok(Change::default()),
            _ => next.catalog.require_free(&name)?,
        }
        let id = match &replaced {
            Some(view) => view.id,
            None => next.new_id(),
        };
        let view = StoredView {
            id,
            namespace: name.namespace.clone(),
            name: name.table.clone(),
            created_at_us: context.view.now_us(),
            planned_in: context.namespace.clone(),
            columns: columns.clone(),
            query: create.query.to_string(),
            reads: reads
                .iter()
                .filter(|table| next.catalog.find(table).is_some() || next.catalog.find_view(table).is_some())
                .cloned()
                .collect(),
        };
        // Planned once, so that a view that cannot be read, or that reads itself, is not made.
        context.scope().check_view(&view)?;
        next.put_view(view)?;
        Ok(next.into_change())
    })
    .await
}

fn check_clauses(create: &CreateView) -> Result<()> {
    refuse_clauses(&[
        (create.materialized, "MATERIALIZED VIEW"),
        (create.temporary, "TEMPORARY VIEW"),
        (
            create.or_alter || create.secure || create.copy_grants || create.with_no_schema_binding,
            "an option of CREATE VIEW",
        ),
        (
            !create.cluster_by.is_empty() || create.to.is_some() || create.comment.is_some() || create.params.is_some(),
            "a clause of CREATE VIEW",
        ),
        (create.options != CreateTableOptions::None, "an option of CREATE VIEW"),
        (
            create.columns.iter().any(|column| column.data_type.is_some() || column.options.is_some()),
            "a type or option of a view's column",
        ),
    ])?;
    if create.or_replace && create.if_not_exists {
        return Err(Error::new(ErrorKind::SyntaxError, "OR REPLACE and IF NOT EXISTS exclude each other"));
    }
    refuse_in_expressions(&create.query, "a view", &[Refused::Parameters])
}

/// Every relation that a query names. Names of its own WITH clauses are among them; they are no tables.
fn reads(query: &Query, namespace: &str) -> Vec<TableName> {
    let mut names: Vec<TableName> = Vec::new();
    let _: ControlFlow<()> = visit_relations(query, |relation| {
        if let Ok(name) = table_name(relation, namespace)
            && !names.contains(&name)
        {
            names.push(name);
        }
        ControlFlow::Continue(())
    });
    names
}

pub(super) async fn drop(
    context: &StatementContext<'_>,
    names: &[ObjectName],
    if_exists: bool,
    cascade: bool,
) -> Result<()> {
    let names = names.iter().map(|name| table_name(name, &context.namespace)).collect::<Result<Vec<_>>>()?;
    commit(context, async |context| {
        let mut next = NextCatalog::begin(context);
        let mut dropped: Vec<Arc<StoredView>> = Vec::new();
        for name in &names {
            match next.catalog.find_view(name) {
                Some(view) if dropped.iter().all(|other| other.id != view.id) => dropped.push(Arc::clone(view)),
                Some(_) => {}
                None if next.catalog.find(name).is_some() => {
                    return Err(Error::new(ErrorKind::WrongObjectType, format!("{name} is a table, not a view")));
                }
                None if if_exists => {}
                None => return Err(Error::new(ErrorKind::UndefinedTable, format!("view {name} does not exist"))),
            }
        }
        if dropped.is_empty() {
            return Ok(Change::default());
        }
        dropped.extend(dependents_to_drop(&next.catalog, &names, cascade)?);
        next.drop_views(&dropped);
        Ok(next.into_change())
    })
    .await
}
