//! Tables, indexes and views as they are stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use kalamdb_store::{CatalogRecord, TableId};
use serde::{Deserialize, Serialize};

use super::catalog::Catalog;
use super::json::{damaged, from_json, to_json};
use super::names::{DEFAULT_NAMESPACE, DEFAULT_NAMESPACE_ID, TableName};
use super::namespace::NamespaceRecord;
use super::options::TableOptions;
use super::table::{Check, Index, SchemaVersion, Table, TableKind};
use super::view::StoredView;
use crate::error::Result;

/// A table as stored: every version of its schema, the last one current.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct TableRecord {
    id: TableId,
    namespace: u64,
    name: String,
    kind: TableKind,
    created_at_us: i64,
    /// Ids of the key's columns, in key order.
    primary_key: Vec<u32>,
    #[serde(default)]
    options: TableOptions,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    indexes: Vec<IndexRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    checks: Vec<Check>,
    schemas: Vec<SchemaVersion>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct IndexRecord {
    name: String,
    /// Ids of the columns, in key order.
    columns: Vec<u32>,
    unique: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_constraint: bool,
}

/// A view as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct ViewRecord {
    id: u64,
    namespace: u64,
    name: String,
    created_at_us: i64,
    planned_in: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    columns: Vec<String>,
    query: String,
    /// Namespace and name of each table and view that the query names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reads: Vec<(String, String)>,
}

pub(crate) fn table_key(id: TableId) -> String {
    format!("table/{id}")
}

pub(crate) fn view_key(id: u64) -> String {
    format!("view/{id}")
}

impl Table {
    pub(crate) fn encode(&self, namespace_id: u64) -> Result<CatalogRecord> {
        let ids = |columns: &[usize]| {
            columns.iter().filter_map(|&index| self.columns.get(index)).map(|column| column.id).collect()
        };
        let indexes = self.indexes.iter().map(|index| IndexRecord {
            name: index.name.clone(),
            columns: ids(&index.columns),
            unique: index.unique,
            is_constraint: index.is_constraint,
        });
        let current = SchemaVersion { version: self.schema_version, columns: self.columns.clone() };
        let record = TableRecord {
            id: self.id,
            namespace: namespace_id,
            name: self.name.clone(),
            kind: self.kind,
            created_at_us: self.created_at_us,
            primary_key: ids(&self.primary_key),
            options: self.options.clone(),
            indexes: indexes.collect(),
            checks: self.checks.clone(),
            schemas: self.earlier.iter().cloned().chain([current]).collect(),
        };
        Ok(CatalogRecord { key: table_key(self.id), value: to_json(&record)? })
    }
}

impl StoredView {
    pub(crate) fn encode(&self, namespace_id: u64) -> Result<CatalogRecord> {
        let record = ViewRecord {
            id: self.id,
            namespace: namespace_id,
            name: self.name.clone(),
            created_at_us: self.created_at_us,
            planned_in: self.planned_in.clone(),
            columns: self.columns.clone(),
            query: self.query.clone(),
            reads: self.reads.iter().map(|name| (name.namespace.clone(), name.table.clone())).collect(),
        };
        Ok(CatalogRecord { key: view_key(self.id), value: to_json(&record)? })
    }
}

/// Reads a whole catalog from its records. What of them does not fit is taken down in the catalog as damaged.
pub(crate) fn decode(records: &[CatalogRecord]) -> Catalog {
    let mut catalog = Catalog::default();
    let mut names_by_id = BTreeMap::from([(DEFAULT_NAMESPACE_ID, DEFAULT_NAMESPACE.to_owned())]);
    let of_kind = |kind: &'static str| records.iter().filter(move |record| record.key.starts_with(kind));
    for record in of_kind("namespace/") {
        match from_json::<NamespaceRecord>(record) {
            Ok(namespace) => {
                names_by_id.insert(namespace.id, namespace.name.clone());
                catalog.add_namespace(namespace);
            }
            Err(error) => catalog.add_damaged(error.to_string()),
        }
    }
    for record in of_kind("table/") {
        match decode_table(record, &names_by_id) {
            Ok(table) => catalog.add_table(Arc::new(table)),
            Err(error) => catalog.add_damaged(error.to_string()),
        }
    }
    for record in of_kind("view/") {
        match decode_view(record, &names_by_id) {
            Ok(view) => catalog.add_view(Arc::new(view)),
            Err(error) => catalog.add_damaged(error.to_string()),
        }
    }
    catalog
}

fn decode_view(record: &CatalogRecord, names_by_id: &BTreeMap<u64, String>) -> Result<StoredView> {
    let stored: ViewRecord = from_json(record)?;
    let namespace = names_by_id.get(&stored.namespace).ok_or_else(|| damaged(record, "its namespace is missing"))?;
    Ok(StoredView {
        id: stored.id,
        namespace: namespace.clone(),
        name: stored.name,
        created_at_us: stored.created_at_us,
        planned_in: stored.planned_in,
        columns: stored.columns,
        query: stored.query,
        reads: stored.reads.into_iter().map(|(namespace, table)| TableName { namespace, table }).collect(),
    })
}

fn decode_table(record: &CatalogRecord, names_by_id: &BTreeMap<u64, String>) -> Result<Table> {
    let stored: TableRecord = from_json(record)?;
    let namespace = names_by_id.get(&stored.namespace).ok_or_else(|| damaged(record, "its namespace is missing"))?;
    let mut schemas = stored.schemas;
    let schema = schemas.pop().ok_or_else(|| damaged(record, "it has no schema"))?;
    let positions = |ids: &[u32], what: &str| {
        let position = |id: &u32| schema.columns.iter().position(|column| column.id == *id);
        ids.iter()
            .map(|id| position(id).ok_or_else(|| damaged(record, &format!("a column of its {what} is missing"))))
            .collect::<Result<Vec<_>>>()
    };
    let index = |index: IndexRecord| {
        let columns = positions(&index.columns, "index")?;
        Ok(Index { name: index.name, columns, unique: index.unique, is_constraint: index.is_constraint })
    };
    Ok(Table {
        id: stored.id,
        namespace: namespace.clone(),
        name: stored.name,
        kind: stored.kind,
        options: stored.options,
        created_at_us: stored.created_at_us,
        schema_version: schema.version,
        primary_key: positions(&stored.primary_key, "key")?,
        indexes: stored.indexes.into_iter().map(index).collect::<Result<Vec<_>>>()?,
        checks: stored.checks,
        earlier: schemas,
        fields: Table::arrow_fields(&schema.columns),
        columns: schema.columns,
    })
}
