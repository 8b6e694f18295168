//! The next catalog, and its commit.

use std::sync::Arc;

use kalamdb_store::CatalogRecord;

use crate::catalog::{Catalog, StoredView, Table, namespace_key, table_key, view_key};
use crate::change::{CatalogChange, Change};
use crate::error::Result;
use crate::sql::plan::{StatementContext, write};

/// Commits a change of the catalog; it is computed again if another tab commits first.
pub(super) async fn commit(
    context: &StatementContext<'_>,
    mut compute: impl AsyncFnMut(&StatementContext<'_>) -> Result<Change>,
) -> Result<()> {
    write(context, async |context| Ok((compute(context).await?, ()))).await.map(drop)
}

/// The next catalog in the making.
pub(super) struct NextCatalog {
    pub(super) catalog: Catalog,
    pub(super) put: Vec<CatalogRecord>,
    drop: Vec<String>,
    drop_rows_of: Vec<u64>,
    next_id: u64,
}

impl NextCatalog {
    pub(super) fn begin(context: &StatementContext<'_>) -> Self {
        let catalog = Catalog::clone(&context.view.catalog());
        Self {
            catalog,
            put: Vec::new(),
            drop: Vec::new(),
            drop_rows_of: Vec::new(),
            next_id: context.view.meta().next_id,
        }
    }

    /// An id that no table, view or namespace has had.
    pub(super) fn new_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// Adds a table, or replaces the one of that name.
    pub(super) fn put_table(&mut self, table: Table) -> Result<Arc<Table>> {
        let record = table.encode(self.catalog.require_namespace(&table.namespace)?)?;
        self.put.retain(|put| put.key != record.key);
        self.put.push(record);
        let table = Arc::new(table);
        self.catalog.add_table(Arc::clone(&table));
        Ok(table)
    }

    pub(super) fn put_view(&mut self, view: StoredView) -> Result<()> {
        self.put.push(view.encode(self.catalog.require_namespace(&view.namespace)?)?);
        self.catalog.add_view(Arc::new(view));
        Ok(())
    }

    /// Drops tables with their rows.
    pub(super) fn drop_tables(&mut self, tables: &[Arc<Table>]) {
        self.drop.extend(tables.iter().map(|table| table_key(table.id)));
        self.drop_rows_of.extend(tables.iter().map(|table| table.id));
        self.catalog = self.catalog.without_tables(tables);
    }

    pub(super) fn drop_views(&mut self, views: &[Arc<StoredView>]) {
        self.drop.extend(views.iter().map(|view| view_key(view.id)));
        self.catalog.remove_views(views);
    }

    pub(super) fn drop_namespace(&mut self, name: &str) {
        self.drop.extend(self.catalog.namespace_id(name).map(namespace_key));
        self.catalog.remove_namespace(name);
    }

    pub(super) fn into_change(self) -> Change {
        let Self { catalog, put, drop, drop_rows_of, next_id } = self;
        Change { rows: vec![], catalog: Some(CatalogChange { catalog, put, drop, drop_rows_of, next_id }) }
    }
}
