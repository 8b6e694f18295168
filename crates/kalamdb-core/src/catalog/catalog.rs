//! Namespaces and tables: what the engine knows of the shape of the data, and how that is stored.
//!
//! A [`Catalog`] is a value: a statement plans against one, and a DDL statement commits the next.

use std::collections::BTreeMap;
use std::sync::Arc;

use kalamdb_store::TableId;

use super::names::{DEFAULT_NAMESPACE, TableName};
use super::namespace::NamespaceRecord;
use super::table::Table;
use super::view::StoredView;
use crate::error::{Error, ErrorKind, Result, nearest};

/// Every namespace, table and view of a database at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Catalog {
    namespaces: BTreeMap<String, Arc<NamespaceRecord>>,
    tables: BTreeMap<(String, String), Arc<Table>>,
    views: BTreeMap<(String, String), Arc<StoredView>>,
    /// Records that do not decode, and what is wrong with them: definitions are missing.
    damaged: Vec<String>,
}

impl Default for Catalog {
    fn default() -> Self {
        let namespaces =
            BTreeMap::from([(DEFAULT_NAMESPACE.to_owned(), Arc::new(NamespaceRecord::default_namespace()))]);
        Self { namespaces, tables: BTreeMap::new(), views: BTreeMap::new(), damaged: Vec::new() }
    }
}

impl Catalog {
    /// Takes note of a definition that cannot be read.
    pub(crate) fn add_damaged(&mut self, what: String) {
        self.damaged.push(what);
    }

    /// Refuses to change definitions while some are missing: a name or an id might be taken.
    pub(crate) fn require_whole(&self) -> Result<()> {
        match self.damaged.first() {
            Some(what) => Err(Error::new(
                ErrorKind::DataCorrupted,
                format!("definitions cannot be changed while one is missing: {what}"),
            )
            .with_hint("salvage() exports the rows that are readable")),
            None => Ok(()),
        }
    }

    pub(crate) fn add_namespace(&mut self, namespace: NamespaceRecord) {
        self.namespaces.insert(namespace.name.clone(), Arc::new(namespace));
    }

    pub(crate) fn add_table(&mut self, table: Arc<Table>) {
        self.tables.insert((table.namespace.clone(), table.name.clone()), table);
    }

    pub(crate) fn remove_namespace(&mut self, name: &str) {
        self.namespaces.remove(name);
    }

    pub(crate) fn without_tables(&self, dropped: &[Arc<Table>]) -> Self {
        let mut catalog = self.clone();
        catalog.tables.retain(|_, table| dropped.iter().all(|other| other.id != table.id));
        catalog
    }

    pub(crate) fn namespace_names(&self) -> impl Iterator<Item = &str> {
        self.namespaces.keys().map(String::as_str)
    }

    pub(crate) fn namespaces(&self) -> impl Iterator<Item = &NamespaceRecord> {
        self.namespaces.values().map(Arc::as_ref)
    }

    pub(crate) fn namespace(&self, name: &str) -> Option<&NamespaceRecord> {
        self.namespaces.get(name).map(Arc::as_ref)
    }

    pub(crate) fn namespace_id(&self, name: &str) -> Option<u64> {
        self.namespace(name).map(|namespace| namespace.id)
    }

    pub(crate) fn add_view(&mut self, view: Arc<StoredView>) {
        self.views.insert((view.namespace.clone(), view.name.clone()), view);
    }

    pub(crate) fn remove_views(&mut self, dropped: &[Arc<StoredView>]) {
        self.views.retain(|_, view| dropped.iter().all(|other| other.id != view.id));
    }

    pub(crate) fn views(&self) -> impl Iterator<Item = &Arc<StoredView>> {
        self.views.values()
    }

    pub(crate) fn views_in<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a Arc<StoredView>> {
        self.views.values().filter(move |view| view.namespace == namespace)
    }

    pub(crate) fn find_view(&self, name: &TableName) -> Option<&Arc<StoredView>> {
        self.views.get(&(name.namespace.clone(), name.table.clone()))
    }

    /// Refuses a name that a table or a view of the namespace has already.
    pub(crate) fn require_free(&self, name: &TableName) -> Result<()> {
        let what = match (self.find(name), self.find_view(name)) {
            (Some(_), _) => "table",
            (None, Some(_)) => "view",
            (None, None) => return Ok(()),
        };
        Err(Error::new(ErrorKind::DuplicateTable, format!("{what} {name} already exists")))
    }

    pub(crate) fn tables(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.tables.values()
    }

    pub(crate) fn tables_in<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a Arc<Table>> {
        self.tables.values().filter(move |table| table.namespace == namespace)
    }

    pub(crate) fn find_id(&self, id: TableId) -> Option<&Arc<Table>> {
        self.tables.values().find(|table| table.id == id)
    }

    pub(crate) fn contains_table_id(&self, id: TableId) -> bool {
        self.find_id(id).is_some()
    }

    pub(crate) fn find(&self, name: &TableName) -> Option<&Arc<Table>> {
        self.tables.get(&(name.namespace.clone(), name.table.clone()))
    }

    /// The namespace's id, or an error that suggests the nearest name.
    pub(crate) fn require_namespace(&self, name: &str) -> Result<u64> {
        self.namespace_id(name).ok_or_else(|| {
            Error::new(ErrorKind::UndefinedSchema, format!("namespace {name} does not exist"))
                .with_nearest(name, self.namespace_names())
        })
    }

    /// The table, or an error that suggests the nearest name.
    pub(crate) fn require_table(&self, name: &TableName) -> Result<&Arc<Table>> {
        self.find(name).ok_or_else(|| {
            if self.find_view(name).is_some() {
                return Error::new(ErrorKind::WrongObjectType, format!("{name} is a view, not a table"));
            }
            if let Some(what) = self.damaged.first() {
                let message =
                    format!("table {name} does not exist, or its definition is the one that is damaged: {what}");
                return Error::new(ErrorKind::DataCorrupted, message);
            }
            let error = Error::new(ErrorKind::UndefinedTable, format!("table {name} does not exist"));
            if matches!(name.namespace.as_str(), "system" | "information_schema") {
                return Error::new(ErrorKind::ReservedName, format!("the namespace {} is read-only", name.namespace));
            }
            if self.namespace_id(&name.namespace).is_none() {
                return match nearest(&name.namespace, self.namespace_names()) {
                    Some(near) => {
                        error.with_hint(format!("there is no namespace {}; perhaps you meant {near}", name.namespace))
                    }
                    None => error.with_hint(format!("there is no namespace {}", name.namespace)),
                };
            }
            let names = self.tables_in(&name.namespace).map(|table| table.name.as_str());
            let names = names.chain(self.views_in(&name.namespace).map(|view| view.name.as_str()));
            error.with_nearest(&name.table, names)
        })
    }
}
