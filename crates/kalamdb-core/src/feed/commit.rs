//! What one commit has done, by partition.

use super::delta::Delta;
use crate::catalog::PartitionId;
use crate::error::Result;
use crate::partition::Report;

/// What a commit has done to the partitions of a [`Watch`](super::Watch).
#[derive(Debug, Clone)]
pub struct CommitChanges {
    /// The number of the commit.
    pub commit: u64,
    /// The partitions that it has changed.
    pub partitions: Vec<(PartitionId, PartitionChange)>,
}

/// What a commit has done to a partition. A change of the table's columns is none: it writes no rows.
#[derive(Debug, Clone)]
pub enum PartitionChange {
    /// It has written rows; in the order in which they were written.
    Rows(Vec<Delta>),
    /// The rows have changed, and it is not known in which way: the log did not reach back far enough, or the watcher
    /// has fallen too far behind. The partition is not watched any more; watch it again, then read it.
    Reset,
    /// The table was dropped or truncated. The partition is not watched any more. Commits shortly before may be left
    /// out: of a table that is gone the log cannot be read.
    Dropped,
}

impl PartitionChange {
    /// # Errors
    /// As [`Delta::of`].
    pub(crate) fn of(reports: &[Report]) -> Result<Self> {
        let mut deltas = Vec::with_capacity(reports.len());
        for report in reports {
            match report {
                Report::Appended(appended) => deltas.push(Delta::of(appended)?),
                Report::Reset => return Ok(Self::Reset),
                Report::Dropped => return Ok(Self::Dropped),
            }
        }
        Ok(Self::Rows(deltas))
    }
}
