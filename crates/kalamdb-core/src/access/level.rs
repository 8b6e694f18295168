//! The access levels of shared tables.

use serde::{Deserialize, Serialize};

/// Who may reach a shared table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AccessLevel {
    /// Everybody reads and writes.
    #[default]
    Public,
    /// Users read; services and administrators write.
    Restricted,
    /// Services and administrators only.
    Private,
}

impl AccessLevel {
    /// Every level, from the most open one.
    pub(crate) const ALL: [Self; 3] = [AccessLevel::Public, AccessLevel::Restricted, AccessLevel::Private];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            AccessLevel::Public => "public",
            AccessLevel::Restricted => "restricted",
            AccessLevel::Private => "private",
        }
    }
}
