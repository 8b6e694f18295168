//! Whether what happened could have happened one call after the other, in the order of the commits.

use std::collections::HashMap;

use kalamdb_core::ErrorKind;
use kalamdb_store::Fault;

use super::call::{End, Failure, Record};
use super::model::Model;
use super::physical::{Reader, StoredVersion, Written};
use super::replay::{Replayed, is_semantic, replay};
use super::world::{Stored, Strike};

/// What is known of a schedule that has ended.
#[derive(Debug)]
pub(crate) struct History<'a> {
    /// The model before it, and the number of the last commit then.
    pub(crate) before: &'a Model,
    pub(crate) head_before: u64,
    pub(crate) records: &'a [&'a Record],
    pub(crate) stored: &'a [Stored],
    /// Tabs that were opened, with the time and the head when they began to read.
    pub(crate) opened: &'a [(usize, u64, u64)],
    pub(crate) heard_by: &'a [u64],
    pub(crate) strikes: &'a [Strike],
}

/// Explains every commit by calls, and every answer by the commits; returns what the tables must hold in the end.
///
/// # Errors
/// What cannot be explained.
pub(crate) fn check(history: &History<'_>, reader: &mut Reader) -> Result<Model, String> {
    let mut written = history.stored.iter().map(|stored| reader.read(&stored.commit)).collect::<Result<Vec<_>, _>>()?;
    if !written.is_sorted_by(|a, b| a.number < b.number) {
        return Err("a number was given twice".to_owned());
    }
    // From here on they are counted: not every number is a commit's.
    written.iter_mut().zip(history.head_before + 1..).for_each(|(written, number)| written.number = number);
    let mut search = Search {
        history,
        written: &written,
        used: HashMap::new(),
        heads: vec![history.before.clone()],
        between: Vec::new(),
        deepest: (0, String::new()),
    };
    if !search.explain_from(0) {
        return Err(search.deepest.1);
    }
    check_answers(history, &search.used, &search.heads, &search.between)?;
    search.heads.pop().ok_or_else(|| "there is no head".to_owned())
}

struct Search<'a> {
    history: &'a History<'a>,
    written: &'a [Written],
    /// The calls that explain a commit, with its number.
    used: HashMap<usize, u64>,
    /// The model after each commit so far, the first one before them all.
    heads: Vec<Model>,
    /// The model within a commit, after each of the calls that it holds, with the commit's number.
    between: Vec<(u64, Model)>,
    /// How far the search came, and what it met there.
    deepest: (usize, String),
}

impl Search<'_> {
    fn explain_from(&mut self, at: usize) -> bool {
        let (Some(written), Some(model)) = (self.written.get(at), self.heads.last().cloned()) else {
            return self.is_nothing_lost(at);
        };
        self.explain(at, written, 0, model)
    }

    /// Explains the row versions of one commit from the place `from` on, then the rest of the history.
    fn explain(&mut self, at: usize, written: &Written, from: usize, model: Model) -> bool {
        let left = &written.versions[from..];
        if left.is_empty()
            && let Some(next) = with_ids(&model, self.heads.last(), written)
        {
            self.heads.push(next);
            if self.explain_from(at + 1) {
                return true;
            }
            self.heads.pop();
        }
        let stored = &self.history.stored[at];
        for (number, record) in self.history.records.iter().enumerate() {
            let may_be = matches!(record.end, End::Done | End::Open) && !self.used.contains_key(&number);
            if !may_be
                || record.call.tab != stored.tab
                || record.begun > stored.time
                || record.ended.is_some_and(|ended| ended < stored.time)
            {
                continue;
            }
            let Ok(replayed) = replay(&model, record) else { continue };
            let n: usize = replayed.versions.iter().map(Vec::len).sum();
            let is_definition = record.call.is_definition() && left.is_empty() && written.changes_catalog;
            if n > left.len() || (n == 0 && !is_definition) {
                continue;
            }
            if matches!(record.end, End::Done) && n > 0 && record.seq != left.get(n - 1).map(|version| version.seq) {
                continue;
            }
            let Some(next) = with_seqs(replayed, left) else { continue };
            self.used.insert(number, written.number);
            self.between.push((written.number, next.clone()));
            if self.explain(at, written, from + n, next) {
                return true;
            }
            self.between.pop();
            self.used.remove(&number);
        }
        self.fail(at, || {
            format!(
                "commit {} of tab {} is explained by no call: {left:?}, {:?}",
                written.number, stored.tab, written.tables
            )
        });
        false
    }

    /// Whether all that was acknowledged is in a commit.
    fn is_nothing_lost(&mut self, at: usize) -> bool {
        let lost = self.history.records.iter().enumerate().find(|(number, record)| {
            let has_written = record.seq.is_some() || record.call.is_definition();
            matches!(record.end, End::Done) && has_written && !self.used.contains_key(number)
        });
        if let Some((number, _)) = lost {
            self.fail(at, || format!("call {number} was acknowledged, and no commit has it"));
        }
        lost.is_none()
    }

    fn fail(&mut self, at: usize, what: impl FnOnce() -> String) {
        if at >= self.deepest.0 {
            self.deepest = (at, what());
        }
    }
}

/// The model with the numbers of the row versions as stored, if they are the same versions.
fn with_seqs(replayed: Replayed, stored: &[StoredVersion]) -> Option<Model> {
    let Replayed { mut model, versions } = replayed;
    let mut from = 0;
    for group in versions {
        let mut left: Vec<&StoredVersion> = stored.get(from..from + group.len())?.iter().collect();
        from += group.len();
        for version in group {
            let same = |stored: &&StoredVersion| {
                stored.table == version.table
                    && stored.user.as_deref() == version.user
                    && stored.cells == version.cells
                    && stored.is_deleted == version.is_deleted
            };
            let found = left.swap_remove(left.iter().position(same)?);
            let row = model.tables.get_mut(version.table)?.partitions.get_mut(&version.user)?.get_mut(version.row)?;
            row.seq = row.seq.max(found.seq);
        }
    }
    Some(model)
}

/// The model with the ids of new tables, if it has the tables that are stored.
fn with_ids(model: &Model, before: Option<&Model>, written: &Written) -> Option<Model> {
    let mut next = model.clone();
    if model.tables.len() != written.tables.len() {
        return None;
    }
    for (name, table) in &mut next.tables {
        let (id, columns) = written.tables.get(*name)?;
        let has_same_columns = table.columns.iter().map(|(name, _)| name).eq(columns);
        let is_new = before.is_none_or(|before| before.tables.values().all(|other| other.id != *id));
        if !has_same_columns || !(table.id == *id || (table.id == 0 && is_new)) {
            return None;
        }
        table.id = *id;
    }
    Some(next)
}

/// Checks the answers of calls that have stored nothing: each saw one moment, not before what its tab had seen already.
///
/// A statement that would have written may be one of several that were committed together, and so have seen a moment
/// between two of them.
fn check_answers(
    history: &History<'_>,
    used: &HashMap<usize, u64>,
    heads: &[Model],
    between: &[(u64, Model)],
) -> Result<(), String> {
    // What a tab has seen at a time, which it must see from then on.
    let mut floors: Vec<(usize, u64, u64)> = history.opened.to_vec();
    for (number, head) in used {
        let record = history.records[*number];
        floors.extend(
            record.ended.filter(|_| matches!(record.end, End::Done)).map(|ended| (record.call.tab, ended, *head)),
        );
    }
    let mut others: Vec<(usize, &&Record)> =
        history.records.iter().enumerate().filter(|(number, _)| !used.contains_key(number)).collect();
    others.sort_by_key(|(_, record)| record.ended);
    for (number, record) in others {
        let Some(ended) = record.ended else { return Err(format!("call {number} has not ended")) };
        let tab = record.call.tab;
        let seen =
            floors.iter().filter(|(of, time, _)| *of == tab && *time < record.begun).map(|(_, _, head)| *head).max();
        let mut floor = seen.unwrap_or(history.head_before).max(history.head_before);
        if !record.call.is_transaction {
            floor = floor.max(history.heard_by[number]);
        }
        for failure in
            record.answers.iter().flatten().filter_map(|answer| answer.as_ref().err()).chain(failure_of(&record.end))
        {
            if !is_justified(history, record, failure, floor) {
                return Err(format!("call {number} failed without a reason: {failure:?}"));
            }
        }
        if !record.call.is_transaction
            && record.answers.iter().flatten().all(Result::is_err)
            && failure_of(&record.end).is_none_or(|f| !is_semantic(f))
        {
            continue;
        }
        let end_head =
            if record.end_head == 0 { history.head_before + heads.len() as u64 - 1 } else { record.end_head };
        let mut why = String::new();
        let found = (floor..=end_head).find(|head| {
            let outcome = heads
                .get((head - history.head_before) as usize)
                .ok_or_else(|| "no such head".to_owned())
                .and_then(|model| replay(model, record));
            why = outcome.as_ref().err().cloned().unwrap_or_default();
            outcome.is_ok()
        });
        let may_be_between = !record.call.is_transaction && !record.call.is_query();
        let in_group = || {
            let within = between.iter().filter(|(number, _)| may_be_between && (floor + 1..=end_head).contains(number));
            within.filter(|(_, model)| replay(model, record).is_ok()).map(|(number, _)| *number).next()
        };
        match found.or_else(in_group) {
            Some(head) => floors.push((tab, ended, head)),
            None => {
                return Err(format!(
                    "call {number} saw no state from head {floor} to {end_head}; at the last one, {why}"
                ));
            }
        }
    }
    Ok(())
}

fn failure_of(end: &End) -> Option<&Failure> {
    match end {
        End::Failed(failure) => Some(failure),
        End::Begun | End::Open | End::Done | End::GivenUp => None,
    }
}

/// Whether a call had a reason to fail in this way. Whether the tables give the reason is checked with the answers.
fn is_justified(history: &History<'_>, record: &Record, failure: &Failure, floor: u64) -> bool {
    let struck = |matches: fn(Fault) -> bool, since: u64| {
        let mut strikes =
            history.strikes.iter().filter(|strike| strike.tab == record.call.tab && matches(strike.fault));
        strikes.any(|strike| strike.time >= since && record.ended.is_none_or(|ended| strike.time <= ended))
    };
    if is_semantic(failure) {
        return true;
    }
    match failure.kind {
        ErrorKind::DiskFull => struck(|fault| fault == Fault::QuotaExceeded, record.begun),
        ErrorKind::TransactionResolutionUnknown => {
            struck(|fault| matches!(fault, Fault::Indeterminate { .. }), record.begun)
        }
        ErrorKind::IoError => struck(|fault| fault == Fault::Abort, record.begun),
        ErrorKind::DatabaseClosed => struck(|fault| fault == Fault::Close, 0),
        ErrorKind::SerializationFailure => record.call.is_transaction && record.end_head > floor,
        _ => false,
    }
}
