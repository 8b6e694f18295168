use std::fmt::{self, Display, Formatter};

use crate::{LogKey, PageKey};

/// Names one stored record, in errors, in [`Tail::damaged`](crate::Tail::damaged) and under its checksum.
///
/// Written as `log/17`, `catalog/table/3`, `segments/9/1`, `manifest/18/0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKey {
    /// The record of a commit.
    Log(u64),
    /// A catalog record.
    Catalog(String),
    /// A column of a segment.
    Page(PageKey),
    /// A manifest.
    Manifest(LogKey),
}

/// The kinds of records that are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// Commits.
    Log,
    /// Definitions.
    Catalog,
    /// Columns of segments.
    Page,
    /// Manifests.
    Manifest,
}

impl RecordKey {
    /// What kind of record it names.
    pub const fn kind(&self) -> RecordKind {
        match self {
            Self::Log(_) => RecordKind::Log,
            Self::Catalog(_) => RecordKind::Catalog,
            Self::Page(_) => RecordKind::Page,
            Self::Manifest(_) => RecordKind::Manifest,
        }
    }
}

impl Display for RecordKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(commit) => write!(f, "log/{commit}"),
            Self::Catalog(key) => write!(f, "catalog/{key}"),
            Self::Page(PageKey { segment, column }) => write!(f, "segments/{segment}/{column}"),
            Self::Manifest(LogKey { commit, part }) => write!(f, "manifest/{commit}/{part}"),
        }
    }
}
