use std::sync::Arc;

use kalamdb_store::{Commit, Meta, PartitionId, Position, StoreError};

use super::Change;
use crate::database::Database;
use crate::error::{Error, ErrorKind, Result};
use crate::partition::RowGroup;

/// How often a statement is run again because others committed first.
const MAX_ATTEMPTS: usize = 20;

/// What a commit has done.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Committed {
    /// The sequence number of the last row version written, if any was.
    pub(crate) seq: Option<u64>,
}

/// Computes a change with `compute` and commits it; computes it again from newer rows if another tab committed first.
///
/// # Errors
/// Those of `compute`; `serialization_failure` after many attempts; the store's. Nothing is written then.
pub(crate) async fn write<T>(database: &Database, mut compute: impl AsyncFnMut() -> Result<(Change, T)>) -> Result<(Committed, T)> {
    database.check_open()?;
    let _writer = database.writer().await;
    for _ in 0..MAX_ATTEMPTS {
        database.refresh().await?;
        let (change, outcome) = compute().await?;
        if change.is_empty() {
            return Ok((Committed::default(), outcome));
        }
        match commit(database, change).await? {
            Some(committed) => return Ok((committed, outcome)),
            None => drop(database.catch_up().await?),
        }
    }
    Err(Error::new(ErrorKind::SerializationFailure, "other tabs kept committing first").with_hint("run the statement again"))
}

/// Stores a change and applies it; `None` if another tab has committed since the change was computed.
async fn commit(database: &Database, change: Change) -> Result<Option<Committed>> {
    let base = database.meta();
    let mut meta = Meta { head: base.head + 1, ..base.clone() };
    let mut commit = Commit { base: base.head, durability: database.durability(), ..Commit::default() };
    let mut groups = Vec::new();
    for mut part in change.rows.into_iter().filter(|part| part.rows.n_rows > 0) {
        part.assign_row_ids(meta.next_seq);
        let group = RowGroup {
            state: part.state,
            fresh: part.fresh,
            columns: part.rows.columns,
            row_ids: part.rows.row_ids,
            first_seq: meta.next_seq,
            updated_us: database.now_us(),
            n_rows: part.rows.n_rows,
        };
        meta.next_seq += part.rows.n_rows as u64;
        group.encode(&part.table, &part.table.partition(), meta.head, &mut commit.log)?;
        groups.push((part.table, group));
    }
    let mut catalog = None;
    if let Some(change) = change.catalog {
        meta.catalog_head = meta.head;
        meta.next_id = change.next_id;
        commit.put_catalog = change.put;
        commit.drop_catalog = change.drop;
        commit.drop_log = change.drop_log;
        catalog = Some(change.catalog);
    }
    commit.meta = meta.clone();
    match database.store().commit(&commit).await {
        Ok(()) => {}
        Err(StoreError::Conflict { .. }) => return Ok(None),
        // The browser did not say whether the transaction went through; the log does.
        Err(error @ StoreError::Indeterminate { .. }) => {
            if !is_stored(database, &commit).await? {
                return Err(error.into());
            }
        }
        Err(error) => return Err(error.into()),
    }
    let seq = groups.last().map(|(_, group)| group.first_seq + group.n_rows as u64 - 1);
    let keys: Vec<(PartitionId, kalamdb_store::LogKey)> = commit.log.iter().map(|record| (record.partition.clone(), record.key)).collect();
    database.apply_commit(
        base.head,
        |view| {
            if let Some(catalog) = catalog {
                view.set_catalog(Arc::new(catalog));
            }
            for (partition, key) in keys {
                view.partition(&partition).add_log_keys([key]);
            }
            for (table, group) in groups {
                view.partition(&table.partition()).apply(&table, group)?;
            }
            Ok(())
        },
        meta,
    )?;
    Ok(Some(Committed { seq }))
}

/// Whether the store holds exactly this commit.
async fn is_stored(database: &Database, commit: &Commit) -> Result<bool> {
    let since = Position { head: commit.base, catalog_head: commit.base };
    let tail = database.store().read_since(Some(since)).await?;
    let own = tail.log.iter().filter(|record| record.key.commit == commit.meta.head);
    let same_rows = own.eq(commit.log.iter());
    let records = tail.catalog.unwrap_or_default();
    let same_catalog = commit.put_catalog.iter().all(|record| records.contains(record))
        && commit.drop_catalog.iter().all(|key| records.iter().all(|record| record.key != *key));
    Ok(tail.meta.head >= commit.meta.head && same_rows && same_catalog)
}
