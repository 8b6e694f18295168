//! Namespaces as they are stored.

use std::collections::BTreeMap;

use kalamdb_store::CatalogRecord;
use serde::{Deserialize, Serialize};

use super::json::to_json;
use super::names::{DEFAULT_NAMESPACE, DEFAULT_NAMESPACE_ID};
use crate::error::Result;

/// A namespace as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NamespaceRecord {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) created_at_us: i64,
    /// What ALTER NAMESPACE ... SET OPTIONS has set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) options: BTreeMap<String, String>,
}

pub(crate) fn namespace_key(id: u64) -> String {
    format!("namespace/{id}")
}

impl NamespaceRecord {
    /// The namespace that always exists; it is stored only once it has options.
    pub(crate) fn default_namespace() -> Self {
        Self {
            id: DEFAULT_NAMESPACE_ID,
            name: DEFAULT_NAMESPACE.to_owned(),
            created_at_us: 0,
            options: BTreeMap::new(),
        }
    }

    pub(crate) fn encode(&self) -> Result<CatalogRecord> {
        Ok(CatalogRecord { key: namespace_key(self.id), value: to_json(self)? })
    }
}
