//! Which user an owner is, as the catalog keeps it.

use serde::{Deserialize, Serialize};

use crate::{CatalogRecord, Owner};

const PREFIX: &str = "owner/";

#[derive(Serialize, Deserialize)]
struct OwnerRecord {
    user: String,
}

impl Owner {
    /// An owner with a random id.
    pub fn of_random(random: u64) -> Self {
        Self(format!("{random:016x}"))
    }

    /// The catalog record that says which user it is.
    pub fn record(&self, user: &str) -> CatalogRecord {
        let record = OwnerRecord { user: user.to_owned() };
        // A text always has a JSON form.
        CatalogRecord { key: format!("{PREFIX}{}", self.0), value: serde_json::to_vec(&record).unwrap_or_default() }
    }

    /// The owner that a catalog record is about, and its user; `None` if it is about something else or makes no sense.
    pub fn of_record(record: &CatalogRecord) -> Option<(Self, String)> {
        let id = record.key.strip_prefix(PREFIX)?;
        let OwnerRecord { user } = serde_json::from_slice(&record.value).ok()?;
        Some((Self(id.to_owned()), user))
    }
}
