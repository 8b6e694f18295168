//! Statements that change definitions: each computes the next catalog and commits it, with rows where it changes rows too.

mod alter;
mod alter_column;
mod indexes;
mod namespaces;
mod storage;
mod stored_rows;
mod tables;
mod views;

use std::sync::Arc;

use kalamdb_store::CatalogRecord;

use super::Parameters;
use super::execute::Executor;
use super::parse_ddl::Definition;
use crate::catalog::{Catalog, StoredView, Table, TableName, namespace_key, table_key, view_key};
use crate::error::{Error, ErrorKind, Result};
use crate::principal::Role;
use crate::result::StatementResult;
use crate::write::{CatalogChange, Change, write};

pub(super) async fn run(executor: &Executor<'_>, definition: &Definition, parameters: &Parameters) -> Result<StatementResult> {
    // Definitions are changed by administrators and the application itself.
    executor.principal.require(Role::Dba, definition.tag())?;
    if !matches!(definition, Definition::Store { .. }) {
        executor.view.catalog().require_whole()?;
    }
    match definition {
        Definition::CreateTable(create) => return tables::create(executor, create, parameters).await,
        Definition::DropTables { names, kind, if_exists, cascade } => tables::drop(executor, names, *kind, *if_exists, *cascade).await?,
        Definition::Truncate(truncate) => tables::truncate(executor, truncate).await?,
        Definition::AlterTable(alter) => alter::alter_table(executor, alter).await?,
        Definition::CreateView(create) => views::create(executor, create).await?,
        Definition::DropViews { names, if_exists, cascade } => views::drop(executor, names, *if_exists, *cascade).await?,
        Definition::CreateIndex(create) => indexes::create(executor, create).await?,
        Definition::DropIndexes { names, if_exists } => indexes::drop(executor, names, *if_exists).await?,
        Definition::CreateNamespace { name, if_not_exists } => namespaces::create(executor, name, *if_not_exists).await?,
        Definition::DropNamespace { name, if_exists, cascade } => namespaces::drop(executor, name, *if_exists, *cascade).await?,
        Definition::AlterNamespace { name, options } => namespaces::set_options(executor, name, options).await?,
        Definition::Store { name, compacts } => return storage::store(executor, name.as_ref(), *compacts, definition.tag()).await,
    }
    Ok(StatementResult::done(definition.tag()))
}

/// Commits a change of the catalog; it is computed again if another tab commits first.
async fn commit(executor: &Executor<'_>, mut compute: impl AsyncFnMut() -> Result<Change>) -> Result<()> {
    write(executor.view, async || Ok((compute().await?, ()))).await.map(drop)
}

/// The next catalog in the making.
struct NextCatalog {
    catalog: Catalog,
    put: Vec<CatalogRecord>,
    drop: Vec<String>,
    drop_rows_of: Vec<u64>,
    next_id: u64,
}

impl NextCatalog {
    fn begin(executor: &Executor<'_>) -> Self {
        let catalog = Catalog::clone(&executor.view.catalog());
        Self { catalog, put: Vec::new(), drop: Vec::new(), drop_rows_of: Vec::new(), next_id: executor.view.meta().next_id }
    }

    /// An id that no table, view or namespace has had.
    fn new_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// Adds a table, or replaces the one of that name.
    fn put_table(&mut self, table: Table) -> Result<Arc<Table>> {
        let record = table.encode(self.catalog.require_namespace(&table.namespace)?)?;
        self.put.retain(|put| put.key != record.key);
        self.put.push(record);
        let table = Arc::new(table);
        self.catalog.add_table(Arc::clone(&table));
        Ok(table)
    }

    fn put_view(&mut self, view: StoredView) -> Result<()> {
        self.put.push(view.encode(self.catalog.require_namespace(&view.namespace)?)?);
        self.catalog.add_view(Arc::new(view));
        Ok(())
    }

    /// Drops tables with their rows.
    fn drop_tables(&mut self, tables: &[Arc<Table>]) {
        self.drop.extend(tables.iter().map(|table| table_key(table.id)));
        self.drop_rows_of.extend(tables.iter().map(|table| table.id));
        self.catalog = self.catalog.without_tables(tables);
    }

    fn drop_views(&mut self, views: &[Arc<StoredView>]) {
        self.drop.extend(views.iter().map(|view| view_key(view.id)));
        self.catalog.remove_views(views);
    }

    fn drop_namespace(&mut self, name: &str) {
        self.drop.extend(self.catalog.namespace_id(name).map(namespace_key));
        self.catalog.remove_namespace(name);
    }

    fn into_change(self) -> Change {
        let Self { catalog, put, drop, drop_rows_of, next_id } = self;
        Change { rows: vec![], catalog: Some(CatalogChange { catalog, put, drop, drop_rows_of, next_id }) }
    }
}

/// The views that read any of these tables and views, and those that read them, and so on.
fn dependents(catalog: &Catalog, names: &[TableName]) -> Vec<Arc<StoredView>> {
    let mut found: Vec<Arc<StoredView>> = Vec::new();
    loop {
        let is_new = |view: &&Arc<StoredView>| {
            let reads = |name: &TableName| names.contains(name) || found.iter().any(|other| other.full_name() == *name);
            found.iter().all(|other| other.id != view.id) && !names.contains(&view.full_name()) && view.reads.iter().any(reads)
        };
        let more: Vec<Arc<StoredView>> = catalog.views().filter(is_new).cloned().collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

/// Refuses what a view depends on, unless the views go along.
fn dependents_to_drop(catalog: &Catalog, names: &[TableName], cascade: bool) -> Result<Vec<Arc<StoredView>>> {
    let views = dependents(catalog, names);
    match views.first() {
        Some(view) if !cascade => {
            let of: Vec<String> = names.iter().filter(|name| view.reads.contains(name)).map(TableName::to_string).collect();
            let message = format!("view {} reads {}", view.full_name(), of.join(", "));
            Err(Error::new(ErrorKind::DependentObjectsStillExist, message).with_hint("drop the view first, or use CASCADE"))
        }
        _ => Ok(views),
    }
}
