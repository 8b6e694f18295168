//! Catalog records as JSON, and what is said of one that cannot be read.

use kalamdb_store::CatalogRecord;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

pub(super) fn to_json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::internal(format!("a catalog record does not encode: {error}")))
}

pub(crate) fn from_json<'a, T: Deserialize<'a>>(record: &'a CatalogRecord) -> Result<T> {
    serde_json::from_slice(&record.value).map_err(|error| damaged(record, &error.to_string()))
}

pub(crate) fn damaged(record: &CatalogRecord, what: &str) -> Error {
    Error::new(ErrorKind::DataCorrupted, format!("catalog record {} is damaged: {what}", record.key))
}
