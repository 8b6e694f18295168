//! The rows that a run of a plan reads: a plan names partitions, its run is told what is in them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::catalog::{PartitionId, Table, TableKind};
use crate::partition::{Snapshot, visible_events};

/// The rows of one user's or one table's partition, which a plan reads.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    pub(crate) table: Arc<Table>,
    pub(crate) partition: PartitionId,
}

impl Dependency {
    /// The rows that are seen of those that are there.
    pub(crate) fn visible(&self, rows: Snapshot, now_us: impl FnOnce() -> i64) -> Snapshot {
        match self.table.kind {
            TableKind::Stream => visible_events(&rows, &self.table.options, now_us()),
            TableKind::Shared | TableKind::User => rows,
        }
    }
}

/// The rows of the run that comes next. A session's state carries them to the scans, which hold on to theirs.
#[derive(Debug, Default)]
pub(crate) struct Snapshots(Mutex<HashMap<PartitionId, Snapshot>>);

impl Snapshots {
    /// Sets the rows of a run, in place of those of the run before.
    pub(crate) fn set(&self, rows: HashMap<PartitionId, Snapshot>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = rows;
    }

    pub(crate) fn get(&self, partition: &PartitionId) -> Option<Snapshot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(partition).cloned()
    }
}
