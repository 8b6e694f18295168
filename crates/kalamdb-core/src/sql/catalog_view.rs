//! The catalog as `information_schema` reads it.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, CatalogProviderList, SchemaProvider, TableProvider};
use datafusion::error::Result;

use crate::catalog::Catalog;
use crate::tables::{Exposed, SharedTable};

/// The name of the one catalog, as SQL sees it.
pub(super) const CATALOG: &str = "kalamdb";

/// One catalog with the namespaces of a database at one moment.
#[derive(Debug)]
pub(super) struct CatalogView(pub(super) Arc<Catalog>);

impl CatalogProviderList for CatalogView {
    fn register_catalog(&self, _: String, _: Arc<dyn CatalogProvider>) -> Option<Arc<dyn CatalogProvider>> {
        None
    }

    fn catalog_names(&self) -> Vec<String> {
        vec![CATALOG.to_owned()]
    }

    fn catalog(&self, name: &str) -> Option<Arc<dyn CatalogProvider>> {
        (name == CATALOG).then(|| Arc::new(Namespaces(Arc::clone(&self.0))) as _)
    }
}

#[derive(Debug)]
struct Namespaces(Arc<Catalog>);

impl CatalogProvider for Namespaces {
    fn schema_names(&self) -> Vec<String> {
        self.0.namespace_names().map(str::to_owned).collect()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        self.0.namespace_id(name)?;
        Some(Arc::new(Namespace { catalog: Arc::clone(&self.0), name: name.to_owned() }))
    }
}

#[derive(Debug)]
struct Namespace {
    catalog: Arc<Catalog>,
    name: String,
}

#[async_trait]
impl SchemaProvider for Namespace {
    fn table_names(&self) -> Vec<String> {
        self.catalog.tables_in(&self.name).map(|table| table.name.clone()).collect()
    }

    /// The table's shape; its rows are not reachable this way.
    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let table = self.catalog.tables_in(&self.name).find(|table| table.name == name);
        Ok(table.map(|table| Arc::new(SharedTable::new(table, Exposed::new(table, &[], false), Arc::default())) as _))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.catalog.tables_in(&self.name).any(|table| table.name == name)
    }
}
