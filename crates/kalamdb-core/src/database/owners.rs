//! The opaque names by which stored records know users.

use std::collections::HashMap;

use kalamdb_store::{CatalogRecord, Owner, PartitionId as StoredId};

use crate::catalog::PartitionId;

/// The owner id of each user. Stored records name owners, so that only the catalog names users.
#[derive(Debug, Clone, Default)]
pub(crate) struct Owners {
    by_user: HashMap<String, Owner>,
    by_owner: HashMap<Owner, String>,
}

impl Owners {
    /// The owners that a catalog names.
    pub(crate) fn of_catalog(records: &[CatalogRecord]) -> Self {
        let mut owners = Self::default();
        for (owner, user) in records.iter().filter_map(Owner::of_record) {
            owners.add(owner, user);
        }
        owners
    }

    pub(crate) fn add(&mut self, owner: Owner, user: String) {
        self.by_user.insert(user.clone(), owner.clone());
        self.by_owner.insert(owner, user);
    }

    pub(crate) fn owner(&self, user: &str) -> Option<&Owner> {
        self.by_user.get(user)
    }

    /// A partition as it is stored; `None` if its user has no owner yet.
    pub(crate) fn stored(&self, id: &PartitionId) -> Option<StoredId> {
        let owner = match &id.user {
            Some(user) => Some(self.by_user.get(user)?.clone()),
            None => None,
        };
        Some(StoredId { table: id.table, owner })
    }

    /// The partition that is stored under that id; `None` if its user is unknown.
    pub(crate) fn known(&self, id: &StoredId) -> Option<PartitionId> {
        let user = match &id.owner {
            Some(owner) => Some(self.by_owner.get(owner)?.clone()),
            None => None,
        };
        Some(PartitionId { table: id.table, user })
    }
}
