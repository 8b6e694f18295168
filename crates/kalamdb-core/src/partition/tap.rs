//! Tells whoever watches a partition what becomes of its rows, commit by commit.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use super::chunk::{Chunk, RowAddress};
use super::partition::Snapshot;
use crate::catalog::Table;

/// The most reports that wait in a tap, however large: they keep superseded rows in memory.
const MAX_REPORTS: usize = 1024;

/// What became of a partition's rows by one part of a commit.
#[derive(Debug, Clone)]
pub(crate) enum Report {
    Appended(Rc<Appended>),
    /// The rows are others, and it is not known in which way. The last report.
    Reset,
    /// The table is gone. The last report.
    Dropped,
}

/// Row versions that have come to a partition, and those that they supersede.
#[derive(Debug, Clone)]
pub(crate) struct Appended {
    /// The table whose columns the rows have.
    pub(crate) table: Arc<Table>,
    pub(crate) chunk: Chunk,
    /// The live rows in `before` that are superseded. Tombstones are left out, and new rows supersede nothing.
    pub(crate) superseded: Vec<RowAddress>,
    /// The rows as they were before.
    pub(crate) before: Snapshot,
}

/// Where one watcher finds the reports of one partition.
#[derive(Debug)]
pub(crate) struct Tap {
    /// Only later commits are reported.
    since: u64,
    has_ended: Cell<bool>,
    /// In the order of their commits, each with the commit's number.
    reports: RefCell<VecDeque<(u64, Report)>>,
}

impl Tap {
    fn push(&self, commit: u64, report: Report) {
        let mut reports = self.reports.borrow_mut();
        if reports.len() >= MAX_REPORTS {
            reports.clear();
            reports.push_back((commit, Report::Reset));
        } else {
            reports.push_back((commit, report));
        }
        self.has_ended.set(reports.back().is_some_and(|(_, last)| !matches!(last, Report::Appended(_))));
    }

    /// The number of the oldest commit that is reported.
    pub(crate) fn first_commit(&self) -> Option<u64> {
        self.reports.borrow().front().map(|(commit, _)| *commit)
    }

    /// The reports of a commit, if it is the oldest.
    pub(crate) fn reports_of(&self, commit: u64) -> Vec<Report> {
        let reports = self.reports.borrow();
        reports.iter().take_while(|(of, _)| *of == commit).map(|(_, report)| report.clone()).collect()
    }

    /// Drops the reports of a commit, if it is the oldest.
    pub(crate) fn drop_reports_of(&self, commit: u64) {
        let mut reports = self.reports.borrow_mut();
        while reports.pop_front_if(|(of, _)| *of == commit).is_some() {}
    }
}

/// The taps of a partition. A copy for a transaction has none.
#[derive(Debug, Clone, Default)]
pub(super) struct Taps(Vec<Weak<Tap>>);

impl Taps {
    /// Adds a tap that reports what is committed after `since`.
    pub(super) fn open(&mut self, since: u64) -> Rc<Tap> {
        let tap = Rc::new(Tap { since, has_ended: Cell::new(false), reports: RefCell::default() });
        self.drop_ended();
        self.0.push(Rc::downgrade(&tap));
        tap
    }

    /// Whether somebody asks what a commit does.
    pub(super) fn want(&self, commit: u64) -> bool {
        self.wanting(commit).next().is_some()
    }

    fn wanting(&self, commit: u64) -> impl Iterator<Item = Rc<Tap>> {
        self.0.iter().filter_map(Weak::upgrade).filter(move |tap| commit > tap.since && !tap.has_ended.get())
    }

    pub(super) fn report(&mut self, commit: u64, report: &Report) {
        self.wanting(commit).for_each(|tap| tap.push(commit, report.clone()));
        self.drop_ended();
    }

    fn drop_ended(&mut self) {
        self.0.retain(|tap| tap.upgrade().is_some_and(|tap| !tap.has_ended.get()));
    }
}
