//! Who watches which partitions.

use std::rc::Rc;

use crate::catalog::PartitionId;
use crate::partition::{Report, Tap};

/// What is reported of one commit, by partition.
pub(crate) type Reports = Vec<(PartitionId, Vec<Report>)>;

/// Partitions that somebody watches. It begins with none; dropping it ends it.
#[derive(Debug, Default)]
pub struct Watch {
    taps: Vec<(PartitionId, Rc<Tap>)>,
}

impl Watch {
    /// Watches a partition. One that was watched already is watched from now on only.
    pub(crate) fn add(&mut self, id: PartitionId, tap: Rc<Tap>) {
        self.remove(&id);
        self.taps.push((id, tap));
    }

    /// Watches a partition no longer.
    pub fn remove(&mut self, id: &PartitionId) {
        self.taps.retain(|(other, _)| other != id);
    }

    /// The partitions that are watched.
    pub fn partitions(&self) -> impl Iterator<Item = &PartitionId> {
        self.taps.iter().map(|(id, _)| id)
    }

    /// The oldest commit that is reported, with what is reported of it. It stays the oldest until it is
    /// [passed](Watch::pass).
    pub(crate) fn first(&self) -> Option<(u64, Reports)> {
        let commit = self.taps.iter().filter_map(|(_, tap)| tap.first_commit()).min()?;
        let reports = self.taps.iter().map(|(id, tap)| (id.clone(), tap.reports_of(commit)));
        Some((commit, reports.filter(|(_, reports)| !reports.is_empty()).collect()))
    }

    /// Goes on to the next commit.
    pub(crate) fn pass(&self, commit: u64) {
        self.taps.iter().for_each(|(_, tap)| tap.drop_reports_of(commit));
    }
}
