//! The options of tables, and their defaults.

use serde::{Deserialize, Serialize};

use crate::access::AccessLevel;

/// How long tombstones are kept where a table does not say: a week.
pub(crate) const DEFAULT_RETENTION_HOURS: u32 = 168;

/// When the rows of a table go from the log into segments; what is `None` does not cause it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct FlushPolicy {
    /// After so many rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rows: Option<u64>,
    /// After so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) interval_secs: Option<u64>,
}

/// What CREATE TABLE says of a table besides its columns.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct TableOptions {
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) flush_policy: FlushPolicy,
    /// 0: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deleted_retention_hours: Option<u32>,
    /// How long a stream's events are visible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ttl_seconds: Option<u64>,
    /// How many events a stream keeps, the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_buffer: Option<u64>,
    /// A stream's events are dropped at once if nobody is subscribed.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) ephemeral: bool,
    /// A stream's events belong to one user each.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) per_user: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) access_level: AccessLevel,
    /// Recorded and shown; there is one place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<String>,
    /// Recorded and shown; there is one storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) storage_id: Option<String>,
}

impl TableOptions {
    pub(crate) fn retention_hours(&self) -> u32 {
        self.deleted_retention_hours.unwrap_or(DEFAULT_RETENTION_HOURS)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
