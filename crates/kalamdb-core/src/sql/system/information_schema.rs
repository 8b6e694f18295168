//! The catalog as `information_schema` reads it.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, CatalogProviderList, SchemaProvider, TableProvider};
use datafusion::error::Result;

use crate::catalog::{Catalog, TableName};
use crate::tables::{TableRows, VisibleColumns};

/// The name of the one catalog, as SQL sees it.
pub(crate) const CATALOG: &str = "kalamdb";

/// One catalog with the namespaces of a database at one moment.
#[derive(Debug, Clone)]
pub(crate) struct CatalogView {
    catalog: Arc<Catalog>,
    views: Arc<Views>,
    with_tables: bool,
}

/// The views, planned for the session that asks.
type Views = HashMap<TableName, Arc<dyn TableProvider>>;

impl CatalogView {
    pub(crate) fn new(catalog: Arc<Catalog>, views: Views) -> Self {
        Self { catalog, views: Arc::new(views), with_tables: true }
    }

    /// Leaves the tables out: what lists views would list them too.
    pub(crate) fn without_tables(self) -> Self {
        Self { with_tables: false, ..self }
    }
}

impl CatalogProviderList for CatalogView {
    fn register_catalog(&self, _: String, _: Arc<dyn CatalogProvider>) -> Option<Arc<dyn CatalogProvider>> {
        None
    }

    fn catalog_names(&self) -> Vec<String> {
        vec![CATALOG.to_owned()]
    }

    fn catalog(&self, name: &str) -> Option<Arc<dyn CatalogProvider>> {
        (name == CATALOG).then(|| Arc::new(Namespaces(self.clone())) as _)
    }
}

#[derive(Debug)]
struct Namespaces(CatalogView);

impl CatalogProvider for Namespaces {
    fn schema_names(&self) -> Vec<String> {
        self.0.catalog.namespace_names().map(str::to_owned).collect()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        self.0.catalog.namespace_id(name)?;
        Some(Arc::new(Namespace { view: self.0.clone(), name: name.to_owned() }))
    }
}

#[derive(Debug)]
struct Namespace {
    view: CatalogView,
    name: String,
}

impl Namespace {
    fn view(&self, name: &str) -> Option<Arc<dyn TableProvider>> {
        self.view.views.get(&TableName { namespace: self.name.clone(), table: name.to_owned() }).cloned()
    }
}

#[async_trait]
impl SchemaProvider for Namespace {
    fn table_names(&self) -> Vec<String> {
        let views = self.view.views.keys().filter(|view| view.namespace == self.name).map(|view| view.table.clone());
        let tables = self.view.catalog.tables_in(&self.name).filter(|_| self.view.with_tables);
        tables.map(|table| table.name.clone()).chain(views).collect()
    }

    /// The table's shape; its rows are not reachable this way.
    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if let Some(view) = self.view(name) {
            return Ok(Some(view));
        }
        let table = self.view.catalog.tables_in(&self.name).find(|table| table.name == name);
        Ok(table.map(|table| {
            Arc::new(TableRows::given(table, VisibleColumns::new(table, &[], false), Arc::default())) as _
        }))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.view(name).is_some() || self.view.catalog.tables_in(&self.name).any(|table| table.name == name)
    }
}
