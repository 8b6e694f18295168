use std::collections::BTreeMap;
use std::sync::Arc;

use kalamdb_store::{CatalogRecord, TableId};
use serde::{Deserialize, Serialize};

use super::table::{SchemaVersion, Table, TableKind};
use super::{Catalog, DEFAULT_NAMESPACE, DEFAULT_NAMESPACE_ID};
use crate::error::{Error, ErrorKind, Result};

/// A namespace as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NamespaceRecord {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) created_at_us: i64,
}

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
    schemas: Vec<SchemaVersion>,
}

pub(crate) fn namespace_key(id: u64) -> String {
    format!("namespace/{id}")
}

pub(crate) fn table_key(id: TableId) -> String {
    format!("table/{id}")
}

impl NamespaceRecord {
    pub(crate) fn encode(&self) -> Result<CatalogRecord> {
        Ok(CatalogRecord { key: namespace_key(self.id), value: to_json(self)? })
    }
}

impl Table {
    pub(crate) fn encode(&self, namespace_id: u64) -> Result<CatalogRecord> {
        let primary_key = self.primary_key.iter().filter_map(|&index| self.columns.get(index)).map(|column| column.id).collect();
        let record = TableRecord {
            id: self.id,
            namespace: namespace_id,
            name: self.name.clone(),
            kind: self.kind,
            created_at_us: self.created_at_us,
            primary_key,
            schemas: vec![SchemaVersion { version: self.schema_version, columns: self.columns.clone() }],
        };
        Ok(CatalogRecord { key: table_key(self.id), value: to_json(&record)? })
    }
}

/// Reads a whole catalog from its records.
///
/// # Errors
/// `data_corrupted`, naming the record that does not fit.
pub(crate) fn decode(records: &[CatalogRecord]) -> Result<Catalog> {
    let mut catalog = Catalog::default();
    let mut names_by_id = BTreeMap::from([(DEFAULT_NAMESPACE_ID, DEFAULT_NAMESPACE.to_owned())]);
    for record in records.iter().filter(|record| record.key.starts_with("namespace/")) {
        let namespace: NamespaceRecord = from_json(record)?;
        names_by_id.insert(namespace.id, namespace.name.clone());
        catalog.add_namespace(namespace.name, namespace.id);
    }
    for record in records.iter().filter(|record| record.key.starts_with("table/")) {
        catalog.add_table(Arc::new(decode_table(record, &names_by_id)?));
    }
    Ok(catalog)
}

fn decode_table(record: &CatalogRecord, names_by_id: &BTreeMap<u64, String>) -> Result<Table> {
    let stored: TableRecord = from_json(record)?;
    let namespace = names_by_id.get(&stored.namespace).ok_or_else(|| damaged(record, "its namespace is missing"))?;
    let schema = stored.schemas.into_iter().next_back().ok_or_else(|| damaged(record, "it has no schema"))?;
    let primary_key = stored
        .primary_key
        .iter()
        .map(|id| schema.columns.iter().position(|column| column.id == *id).ok_or_else(|| damaged(record, "a key column is missing")))
        .collect::<Result<Vec<_>>>()?;
    Ok(Table {
        id: stored.id,
        namespace: namespace.clone(),
        name: stored.name,
        kind: stored.kind,
        created_at_us: stored.created_at_us,
        schema_version: schema.version,
        fields: Table::arrow_fields(&schema.columns),
        columns: schema.columns,
        primary_key,
    })
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::internal(format!("a catalog record does not encode: {error}")))
}

fn from_json<'a, T: Deserialize<'a>>(record: &'a CatalogRecord) -> Result<T> {
    serde_json::from_slice(&record.value).map_err(|error| damaged(record, &error.to_string()))
}

fn damaged(record: &CatalogRecord, what: &str) -> Error {
    Error::new(ErrorKind::DataCorrupted, format!("catalog record {} is damaged: {what}", record.key))
}
