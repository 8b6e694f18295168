use std::fmt::{self, Display, Formatter};

use crate::LogKey;

/// Names one stored record, in errors, in [`Tail::damaged`](crate::Tail::damaged) and under its checksum.
///
/// Written as `meta/state`, `log/17/0`, `catalog/table/3`, `segments/9`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKey {
    /// The one meta record.
    Meta,
    /// A log record.
    Log(LogKey),
    /// A catalog record.
    Catalog(String),
    /// A segment.
    Segment(u64),
}

impl Display for RecordKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Meta => f.write_str("meta/state"),
            Self::Log(LogKey { commit, part }) => write!(f, "log/{commit}/{part}"),
            Self::Catalog(key) => write!(f, "catalog/{key}"),
            Self::Segment(id) => write!(f, "segments/{id}"),
        }
    }
}
