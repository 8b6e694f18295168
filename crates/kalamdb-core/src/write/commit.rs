use std::sync::Arc;

use kalamdb_store::{Commit, Durability, LogRecord, Meta, Position, StoreError};

use super::{Change, TableChange};
use crate::database::{AppliedCommit, Database, Transaction, View};
use crate::error::{Error, ErrorKind, Result};
use crate::partition::Logged;

/// How often a statement is run again because others committed first.
const MAX_ATTEMPTS: usize = 20;

/// What a commit has done.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Committed {
    /// The sequence number of the last row version written, if any was.
    pub(crate) seq: Option<u64>,
}

/// Computes a change with `compute` and commits it, or takes it into the transaction that the statement is a part of.
///
/// Outside of a transaction the change is computed again from newer rows if another tab committed first.
///
/// # Errors
/// Those of `compute`; `serialization_failure` after many attempts; the store's. Nothing is written then.
pub(crate) async fn write<T>(view: View<'_>, mut compute: impl AsyncFnMut() -> Result<(Change, T)>) -> Result<(Committed, T)> {
    let database = view.database;
    database.check_open()?;
    if let Some(transaction) = view.transaction {
        let _statements = transaction.statements().await;
        transaction.refresh(database).await?;
        let (change, outcome) = compute().await?;
        if !change.is_empty() {
            transaction.apply(database, change)?;
        }
        // The commit numbers the rows; until then they have no number to tell.
        return Ok((Committed::default(), outcome));
    }
    let _writer = database.writer().await;
    for _ in 0..MAX_ATTEMPTS {
        database.refresh().await?;
        let (change, outcome) = compute().await?;
        if change.is_empty() {
            return Ok((Committed::default(), outcome));
        }
        match commit(database, vec![change], 0, database.durability()).await? {
            Some(committed) => return Ok((committed, outcome)),
            None => drop(database.catch_up().await?),
        }
    }
    Err(Error::new(ErrorKind::SerializationFailure, "other tabs kept committing first").with_hint("run the statement again"))
}

/// Commits what a transaction has done, in one commit.
///
/// # Errors
/// `serialization_failure` if what the transaction rests on has changed; the store's. Nothing is written then.
pub(crate) async fn commit_transaction(database: &Database, transaction: &Transaction, durability: Durability) -> Result<Committed> {
    database.check_open()?;
    let _writer = database.writer().await;
    for _ in 0..MAX_ATTEMPTS {
        database.refresh().await?;
        let changes = transaction.finish(database)?;
        if changes.iter().all(Change::is_empty) {
            return Ok(Committed::default());
        }
        match commit(database, changes, transaction.next_seq(), durability).await? {
            Some(committed) => return Ok(committed),
            None => drop(database.catch_up().await?),
        }
    }
    Err(Error::new(ErrorKind::SerializationFailure, "other tabs kept committing first").with_hint("run the transaction again"))
}

/// Stores changes and applies them; `None` if they are to be computed again: another tab has committed, or the browser has not stored them.
///
/// Later row versions are numbered from `least_next_seq` at least: the ids of rows without a key are among the numbers before it.
async fn commit(database: &Database, changes: Vec<Change>, least_next_seq: u64, durability: Durability) -> Result<Option<Committed>> {
    let base = database.meta();
    let mut meta = Meta { head: base.head + 1, ..base.clone() };
    let mut commit = Commit { base: base.head, durability, ..Commit::default() };
    let mut parts = Vec::new();
    let mut catalog = None;
    for change in changes {
        parts.extend(change.rows.into_iter().filter(|part| part.rows.n_rows > 0));
        if let Some(change) = change.catalog {
            meta.catalog_head = meta.head;
            meta.next_id = change.next_id;
            // A later statement of a transaction may change again, or drop, what an earlier one has written.
            commit.put_catalog.retain(|record| !change.drop.contains(&record.key) && change.put.iter().all(|put| put.key != record.key));
            commit.drop_catalog.retain(|key| change.put.iter().all(|put| put.key != *key));
            parts.retain(|part: &TableChange| !change.drop_rows_of.contains(&part.table.id));
            commit.put_catalog.extend(change.put);
            commit.drop_catalog.extend(change.drop);
            commit.drop_log.extend(change.drop_rows_of.iter().flat_map(|table| database.log_keys(*table)));
            catalog = Some(Arc::new(change.catalog));
        }
    }
    let updated_us = database.now_us();
    let mut groups = Vec::with_capacity(parts.len());
    for mut part in parts {
        part.assign_row_ids(meta.next_seq);
        let group = part.group(meta.next_seq, updated_us);
        meta.next_seq += part.rows.n_rows as u64;
        let from = commit.log.len();
        group.encode(&part.table, &part.partition, meta.head, &mut commit.log)?;
        let logged = |record: &LogRecord| Logged { key: record.key, updated_us: record.updated_us, n_rows: record.n_rows as usize };
        let log: Vec<Logged> = commit.log.iter().skip(from).map(logged).collect();
        groups.push((part.table, part.partition, group, log));
    }
    meta.next_seq = meta.next_seq.max(least_next_seq);
    commit.meta = meta.clone();
    match database.store().commit(&commit).await {
        Ok(()) => {}
        Err(StoreError::Conflict { .. }) => return Ok(None),
        // The browser did not say whether the transaction went through; the log does, if it can be read.
        Err(error @ StoreError::Indeterminate { .. }) => match outcome_of(database, &commit).await {
            Ok(Outcome::Stored) => {}
            Ok(Outcome::NotStored) => return Ok(None),
            Ok(Outcome::Unknown) | Err(_) => return Err(error.into()),
        },
        Err(error) => return Err(error.into()),
    }
    let seq = groups.last().map(|(_, _, group, _)| group.first_seq + group.n_rows as u64 - 1);
    database.apply_commit(base.head, AppliedCommit { meta, catalog, groups })?;
    Ok(Some(Committed { seq }))
}

/// What became of a commit.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    Stored,
    NotStored,
    /// Others have committed since, and the log does not tell their commit from this one.
    Unknown,
}

/// Reads from the log what became of a commit whose transaction has ended.
async fn outcome_of(database: &Database, commit: &Commit) -> Result<Outcome> {
    let since = Position { head: commit.base, catalog_head: commit.base };
    let tail = database.store().read_since(Some(since)).await?;
    if tail.meta.head == commit.base {
        return Ok(Outcome::NotStored);
    }
    // Another tab may have dropped the same table at the same moment; of rows, the time tells whose they are.
    if commit.log.is_empty() {
        return Ok(Outcome::Unknown);
    }
    let own = tail.log.iter().filter(|record| record.key.commit == commit.meta.head);
    let same_rows = own.eq(commit.log.iter());
    let records = tail.catalog.unwrap_or_default();
    let same_catalog = commit.put_catalog.iter().all(|record| records.contains(record))
        && commit.drop_catalog.iter().all(|key| records.iter().all(|record| record.key != *key));
    Ok(if same_rows && same_catalog { Outcome::Stored } else { Outcome::Unknown })
}
