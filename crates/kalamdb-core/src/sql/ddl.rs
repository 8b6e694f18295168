use std::sync::Arc;

use datafusion::sql::sqlparser::ast::{CreateTable, ObjectName};

use super::execute::Executor;
use super::names::{namespace_name, table_name};
use super::{defaults, table_definition};
use crate::catalog::{Catalog, DEFAULT_NAMESPACE, NamespaceRecord, Table, check_namespace_name, check_table_name, namespace_key, table_key};
use crate::error::{Error, ErrorKind, Result};
use crate::principal::Role;
use crate::result::StatementResult;
use crate::write::{CatalogChange, Change, write};

pub(super) async fn create_table(executor: &Executor<'_>, create: &CreateTable) -> Result<StatementResult> {
    require_ddl(executor, "CREATE TABLE")?;
    let name = table_name(&create.name, &executor.namespace)?;
    check_table_name(&name)?;
    let definition = table_definition::read(create)?;
    for column in &definition.columns {
        defaults::check(executor, column).await?;
    }
    let view = executor.view;
    run(executor, async || {
        let catalog = view.catalog();
        let namespace_id = catalog.require_namespace(&name.namespace)?;
        if catalog.find(&name).is_some() {
            if create.if_not_exists {
                return Ok(Change::default());
            }
            return Err(Error::new(ErrorKind::DuplicateTable, format!("table {name} already exists")));
        }
        let id = view.meta().next_id;
        let table = Table {
            id,
            namespace: name.namespace.clone(),
            name: name.table.clone(),
            kind: definition.kind,
            options: definition.options.clone(),
            created_at_us: view.now_us(),
            schema_version: 1,
            fields: Table::arrow_fields(&definition.columns),
            columns: definition.columns.clone(),
            primary_key: definition.primary_key.clone(),
            indexes: definition.indexes.clone(),
            checks: definition.checks.clone(),
            earlier: Vec::new(),
        };
        let put = vec![table.encode(namespace_id)?];
        let mut next = Catalog::clone(&catalog);
        next.add_table(Arc::new(table));
        Ok(catalog_change(CatalogChange { catalog: next, put, drop: vec![], drop_rows_of: vec![], next_id: id + 1 }))
    })
    .await?;
    Ok(StatementResult::done("CREATE TABLE"))
}

pub(super) async fn drop_tables(executor: &Executor<'_>, names: &[ObjectName], if_exists: bool) -> Result<StatementResult> {
    require_ddl(executor, "DROP TABLE")?;
    let names = names.iter().map(|name| table_name(name, &executor.namespace)).collect::<Result<Vec<_>>>()?;
    let view = executor.view;
    run(executor, async || {
        let catalog = view.catalog();
        let mut dropped: Vec<Arc<Table>> = Vec::new();
        for name in &names {
            match catalog.find(name) {
                Some(table) if dropped.iter().all(|other| other.id != table.id) => dropped.push(Arc::clone(table)),
                Some(_) => {}
                None if if_exists => {}
                None => return Err(catalog.require_table(name).map_or_else(|error| error, |_| Error::internal("the table exists"))),
            }
        }
        if dropped.is_empty() {
            return Ok(Change::default());
        }
        Ok(drop_change(executor, &catalog, &dropped, None))
    })
    .await?;
    Ok(StatementResult::done("DROP TABLE"))
}

pub(super) async fn create_namespace(executor: &Executor<'_>, name: &ObjectName, if_not_exists: bool) -> Result<StatementResult> {
    require_ddl(executor, "CREATE NAMESPACE")?;
    let name = namespace_name(name)?;
    check_namespace_name(&name)?;
    let view = executor.view;
    run(executor, async || {
        let catalog = view.catalog();
        if catalog.namespace_id(&name).is_some() {
            if if_not_exists {
                return Ok(Change::default());
            }
            return Err(Error::new(ErrorKind::DuplicateSchema, format!("namespace {name} already exists")));
        }
        let id = view.meta().next_id;
        let record = NamespaceRecord { id, name: name.clone(), created_at_us: view.now_us() };
        let put = vec![record.encode()?];
        let mut next = Catalog::clone(&catalog);
        next.add_namespace(name.clone(), id);
        Ok(catalog_change(CatalogChange { catalog: next, put, drop: vec![], drop_rows_of: vec![], next_id: id + 1 }))
    })
    .await?;
    Ok(StatementResult::done("CREATE NAMESPACE"))
}

pub(super) async fn drop_namespace(executor: &Executor<'_>, name: &ObjectName, if_exists: bool, cascade: bool) -> Result<StatementResult> {
    require_ddl(executor, "DROP NAMESPACE")?;
    let name = namespace_name(name)?;
    if name == DEFAULT_NAMESPACE {
        return Err(Error::new(ErrorKind::ReservedName, format!("the namespace {name} cannot be dropped")));
    }
    run(executor, async || {
        let catalog = executor.view.catalog();
        if if_exists && catalog.namespace_id(&name).is_none() {
            return Ok(Change::default());
        }
        catalog.require_namespace(&name)?;
        let tables: Vec<Arc<Table>> = catalog.tables_in(&name).cloned().collect();
        if let (Some(table), false) = (tables.first(), cascade) {
            let message = format!("namespace {name} still holds the table {}", table.name);
            return Err(Error::new(ErrorKind::DependentObjectsStillExist, message).with_hint("drop its tables first, or use CASCADE"));
        }
        Ok(drop_change(executor, &catalog, &tables, Some(&name)))
    })
    .await?;
    Ok(StatementResult::done("DROP NAMESPACE"))
}

/// Definitions are changed by administrators and the application itself.
fn require_ddl(executor: &Executor<'_>, what: &str) -> Result<()> {
    executor.principal.require(Role::Dba, what)
}

/// Commits a change of the catalog; it is computed again if another tab commits first.
async fn run(executor: &Executor<'_>, mut compute: impl AsyncFnMut() -> Result<Change>) -> Result<()> {
    write(executor.view, async || Ok((compute().await?, ()))).await.map(drop)
}

fn catalog_change(change: CatalogChange) -> Change {
    Change { rows: vec![], catalog: Some(change) }
}

/// Drops tables with their rows, and the namespace if one is named.
fn drop_change(executor: &Executor<'_>, catalog: &Catalog, tables: &[Arc<Table>], namespace: Option<&str>) -> Change {
    let mut drop: Vec<String> = tables.iter().map(|table| table_key(table.id)).collect();
    let mut next = catalog.without_tables(tables);
    if let Some(name) = namespace {
        drop.extend(catalog.namespace_id(name).map(namespace_key));
        next.remove_namespace(name);
    }
    let drop_rows_of = tables.iter().map(|table| table.id).collect();
    catalog_change(CatalogChange { catalog: next, put: vec![], drop, drop_rows_of, next_id: executor.view.meta().next_id })
}
