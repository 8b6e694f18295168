//! The background jobs of this instance, as `system.jobs` shows them.

use std::collections::VecDeque;

use crate::catalog::PartitionId;
use crate::error::{Error, Result};

/// How many jobs are remembered.
const MAX_JOBS: usize = 200;

/// The kind of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobKind {
    /// Rows go from the log into a segment.
    Flush,
    /// Segments are merged, and rows that no longer count are left behind.
    Compact,
    /// Events that are over are freed.
    Evict,
    /// Tombstones that are past their table's retention are removed.
    Retention,
}

impl JobKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            JobKind::Flush => "flush",
            JobKind::Compact => "compact",
            JobKind::Evict => "evict",
            JobKind::Retention => "retention",
        }
    }
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobStatus {
    Running,
    Completed,
    Failed,
}

impl JobStatus {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            JobStatus::Running => "running",
            JobStatus::Completed => "completed",
            JobStatus::Failed => "failed",
        }
    }
}

/// A job of this instance.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) id: u64,
    pub(crate) kind: JobKind,
    pub(crate) partition: PartitionId,
    pub(crate) status: JobStatus,
    /// The number of rows that the job has stored again or removed.
    pub(crate) n_rows: usize,
    pub(crate) error: Option<String>,
    pub(crate) started_us: i64,
    pub(crate) finished_us: Option<i64>,
}

/// The last jobs of this instance, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    jobs: VecDeque<Job>,
    last_id: u64,
}

impl Jobs {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter()
    }

    /// Records the beginning of a job; returns its id.
    pub(crate) fn begin(&mut self, kind: JobKind, partition: PartitionId, now_us: i64) -> u64 {
        self.last_id += 1;
        if self.jobs.len() >= MAX_JOBS {
            self.jobs.pop_front();
        }
        let (id, status) = (self.last_id, JobStatus::Running);
        self.jobs.push_back(Job {
            id,
            kind,
            partition,
            status,
            n_rows: 0,
            error: None,
            started_us: now_us,
            finished_us: None,
        });
        id
    }

    /// Takes note of the end of a job; one that had nothing to do is forgotten.
    pub(crate) fn finish(&mut self, id: u64, outcome: &Result<usize>, now_us: i64) {
        if matches!(outcome, Ok(0)) {
            self.jobs.retain(|job| job.id != id);
            return;
        }
        let Some(job) = self.jobs.iter_mut().find(|job| job.id == id) else { return };
        job.finished_us = Some(now_us);
        job.status = if outcome.is_ok() { JobStatus::Completed } else { JobStatus::Failed };
        job.n_rows = outcome.as_ref().copied().unwrap_or_default();
        job.error = outcome.as_ref().err().map(Error::to_string);
    }
}
