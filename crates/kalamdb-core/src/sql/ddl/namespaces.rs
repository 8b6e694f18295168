//! CREATE, ALTER and DROP NAMESPACE.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::sql::sqlparser::ast::ObjectName;

use super::dependents::dependents_to_drop;
use super::next_catalog::{NextCatalog, commit};
use crate::catalog::{DEFAULT_NAMESPACE, NamespaceRecord, StoredView, Table, TableName, check_namespace_name};
use crate::change::Change;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::parse::{GivenOption, namespace_name};
use crate::sql::plan::StatementContext;

pub(super) async fn create(context: &StatementContext<'_>, name: &ObjectName, if_not_exists: bool) -> Result<()> {
    let name = namespace_name(name)?;
    check_namespace_name(&name)?;
    commit(context, async |context| {
        let mut next = NextCatalog::begin(context);
        if next.catalog.namespace_id(&name).is_some() {
            if if_not_exists {
                return Ok(Change::default());
            }
            return Err(Error::new(ErrorKind::DuplicateSchema, format!("namespace {name} already exists")));
        }
        let id = next.new_id();
        let record =
            NamespaceRecord { id, name: name.clone(), created_at_us: context.view.now_us(), options: BTreeMap::new() };
        next.put.push(record.encode()?);
        next.catalog.add_namespace(record);
        Ok(next.into_change())
    })
    .await
}

pub(super) async fn drop(
    context: &StatementContext<'_>,
    name: &ObjectName,
    if_exists: bool,
    cascade: bool,
) -> Result<()> {
    let name = namespace_name(name)?;
    if name == DEFAULT_NAMESPACE {
        return Err(Error::new(ErrorKind::ReservedName, format!("the namespace {name} cannot be dropped")));
    }
    commit(context, async |context| {
        let mut next = NextCatalog::begin(context);
        if if_exists && next.catalog.namespace_id(&name).is_none() {
            return Ok(Change::default());
        }
        next.catalog.require_namespace(&name)?;
        let tables: Vec<Arc<Table>> = next.catalog.tables_in(&name).cloned().collect();
        let mut views: Vec<Arc<StoredView>> = next.catalog.views_in(&name).cloned().collect();
        let held = tables
            .first()
            .map(|table| ("table", &table.name))
            .or_else(|| views.first().map(|view| ("view", &view.name)));
        if let (Some((what, held)), false) = (held, cascade) {
            let message = format!("namespace {name} still holds the {what} {held}");
            return Err(Error::new(ErrorKind::DependentObjectsStillExist, message)
                .with_hint("drop what it holds first, or use CASCADE"));
        }
        let names: Vec<TableName> =
            tables.iter().map(|table| table.full_name()).chain(views.iter().map(|view| view.full_name())).collect();
        views.extend(dependents_to_drop(&next.catalog, &names, cascade)?);
        next.drop_tables(&tables);
        next.drop_views(&views);
        next.drop_namespace(&name);
        Ok(next.into_change())
    })
    .await
}

/// Sets options of a namespace, which are kept and shown; they change nothing else.
pub(super) async fn set_options(
    context: &StatementContext<'_>,
    name: &ObjectName,
    options: &[GivenOption],
) -> Result<()> {
    let name = namespace_name(name)?;
    commit(context, async |context| {
        let mut next = NextCatalog::begin(context);
        next.catalog.require_namespace(&name)?;
        let Some(mut record) = next.catalog.namespace(&name).cloned() else {
            return Err(Error::internal("a namespace is missing"));
        };
        record.options.extend(options.iter().map(|option| (option.name.clone(), option.value.text())));
        next.put.push(record.encode()?);
        next.catalog.add_namespace(record);
        Ok(next.into_change())
    })
    .await
}
