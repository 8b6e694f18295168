//! From the rows that a statement writes to the change that it commits, having checked the table's constraints.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch, UInt32Array};
use datafusion::arrow::datatypes::Schema;
use kalamdb_store::RowState;

use crate::catalog::{PartitionId, Table};
use crate::change::{Change, TableChange};
use crate::error::{Error, ErrorKind, Result};
use crate::partition::{RowAddress, StoredKey};
use crate::rows::{Keys, Rows, unique_keys};
use crate::sql::plan::{StatementContext, check_condition};
use crate::write::{check_not_null, check_unique};

/// New versions of rows that are there, in place of the old.
#[derive(Debug)]
pub(super) struct Replacement {
    pub(crate) addresses: Vec<RowAddress>,
    pub(crate) old: Rows,
    pub(crate) new: Rows,
}

/// What a statement writes to a table.
#[derive(Debug, Default)]
pub(super) struct WriteSet {
    pub(crate) inserted: Option<Rows>,
    pub(crate) replaced: Option<Replacement>,
    /// Rows that make room for those inserted.
    pub(crate) displaced: Option<ReplacedRows>,
}

/// Rows that are deleted; those of the keys that are inserted need no tombstone.
#[derive(Debug)]
pub(super) struct ReplacedRows {
    pub(crate) addresses: Vec<RowAddress>,
    pub(crate) tombstones: Rows,
}

/// A change, and the rows as they will be: those replaced, then those inserted.
#[derive(Debug)]
pub(super) struct CheckedWriteSet {
    pub(crate) change: Change,
    /// `None` if nothing is written.
    pub(crate) rows: Option<Rows>,
    /// The sequence number of the first of them, if the commit goes through as it is.
    pub(crate) first_seq: u64,
}

/// Checks all constraints.
///
/// # Errors
/// `not_null_violation`, `check_violation`, `unique_violation`.
pub(super) fn check(
    context: &StatementContext<'_>,
    table: &Arc<Table>,
    partition: &PartitionId,
    written: WriteSet,
) -> Result<CheckedWriteSet> {
    let mut first_seq = context.view.meta().next_seq;
    let replaced_rows = written.replaced.as_ref().map(|replaced| &replaced.new).filter(|rows| rows.n_rows > 0);
    let parts: Vec<&Rows> =
        replaced_rows.into_iter().chain(written.inserted.as_ref().filter(|rows| rows.n_rows > 0)).collect();
    if parts.is_empty() {
        return Ok(CheckedWriteSet { change: Change::default(), rows: None, first_seq });
    }
    let n_replaced = replaced_rows.map_or(0, |rows| rows.n_rows);
    let rows = Rows::concat(&parts)?;
    check_not_null(table, &rows)?;
    check_conditions(context, table, &rows)?;
    let replaced = written.replaced.iter().flat_map(|replaced| &replaced.addresses);
    let displaced = written.displaced.iter().flat_map(|displaced| &displaced.addresses);
    let addresses: HashSet<RowAddress> = replaced.chain(displaced).copied().collect();
    let stored = check_unique(context.view, table, partition, &rows, &addresses)?;
    let change = |state, is_new, rows| TableChange {
        table: Arc::clone(table),
        partition: partition.clone(),
        state,
        is_new,
        rows,
    };
    let mut changes = Vec::new();
    if let Some(ReplacedRows { tombstones, .. }) = written.displaced.filter(|displaced| displaced.tombstones.n_rows > 0)
    {
        first_seq += tombstones.n_rows as u64;
        changes.push(change(RowState::Deleted, false, tombstones));
    }
    if let Some(Replacement { old, new, .. }) = written.replaced.filter(|replaced| replaced.new.n_rows > 0) {
        if table.has_primary_key() {
            // A row whose key changes leaves a tombstone behind, unless another row takes the key at once, and is new
            // under its new key.
            let moved = left_behind(table, &old, &new, &rows)?;
            if !moved.is_empty() {
                first_seq += moved.len() as u64;
                changes.push(change(RowState::Deleted, false, old.select(&moved)?));
            }
        }
        let over = stored.iter().take(n_replaced).copied();
        changes.extend(
            runs(new, over, &addresses, false)?.into_iter().map(|(is_new, rows)| change(RowState::Live, is_new, rows)),
        );
    }
    if let Some(inserted) = written.inserted.filter(|rows| rows.n_rows > 0) {
        let over = stored.iter().skip(n_replaced).copied();
        changes.extend(
            runs(inserted, over, &addresses, true)?
                .into_iter()
                .map(|(is_new, rows)| change(RowState::Live, is_new, rows)),
        );
    }
    Ok(CheckedWriteSet { change: Change { rows: changes, catalog: None }, rows: Some(rows), first_seq })
}

/// Rows in runs, in their order, each with whether it supersedes nothing: what is written over a tombstone that is not
/// `replaced` leaves it as it is. `is_new` is what holds for rows whose keys nothing has had.
fn runs(
    rows: Rows,
    over: impl Iterator<Item = Option<StoredKey>>,
    replaced: &HashSet<RowAddress>,
    is_new: bool,
) -> Result<Vec<(bool, Rows)>> {
    let mut runs: Vec<(Option<bool>, u32)> = Vec::new();
    for stored in over {
        let is_fresh = stored.map(|stored| stored.is_deleted && !replaced.contains(&stored.address));
        match runs.last_mut() {
            Some((run, n_rows)) if run.is_none() || is_fresh.is_none() || *run == is_fresh => {
                *run = run.or(is_fresh);
                *n_rows += 1;
            }
            _ => runs.push((is_fresh, 1)),
        }
    }
    if let [] | [_] = runs.as_slice() {
        let run = runs.pop().and_then(|(run, _)| run);
        return Ok(vec![(run.unwrap_or(is_new), rows)]);
    }
    let mut from = 0;
    let part = |(run, n_rows): (Option<bool>, u32)| {
        let positions = UInt32Array::from_iter_values(from..from + n_rows);
        from += n_rows;
        Ok((run.unwrap_or(is_new), rows.select(&positions)?))
    };
    runs.into_iter().map(part).collect()
}

/// The rows whose keys have changed, but for those whose old key is that of a row that is `written`.
fn left_behind(table: &Table, old: &Rows, new: &Rows, written: &Rows) -> Result<UInt32Array> {
    let moved = rows_with_other_keys(table, old, new)?;
    if moved.is_empty() {
        return Ok(moved);
    }
    let taken: HashSet<Option<Box<[u8]>>> = unique_keys(written, &table.primary_key)?.into_iter().collect();
    let keys = unique_keys(old, &table.primary_key)?;
    Ok(moved
        .values()
        .iter()
        .copied()
        .filter(|row| keys.get(*row as usize).is_none_or(|key| !taken.contains(key)))
        .collect())
}

fn rows_with_other_keys(table: &Table, old: &Rows, new: &Rows) -> Result<UInt32Array> {
    let keys = |rows: &Rows| Keys::of_columns(table, |index| rows.column(index));
    let differ: Vec<bool> = match (keys(old)?, keys(new)?) {
        (Keys::Integers(old), Keys::Integers(new)) => old.iter().zip(&new).map(|(old, new)| old != new).collect(),
        (Keys::Bytes(old), Keys::Bytes(new)) => {
            old.iter().zip(new.iter()).map(|(old, new)| old.data() != new.data()).collect()
        }
        _ => return Err(Error::internal("the keys of one table differ in kind")),
    };
    Ok(differ.iter().zip(0_u32..).filter(|(differs, _)| **differs).map(|(_, row)| row).collect())
}

/// Refuses rows for which a CHECK is false; one that is NULL passes.
fn check_conditions(context: &StatementContext<'_>, table: &Table, rows: &Rows) -> Result<()> {
    if table.checks.is_empty() {
        return Ok(());
    }
    let batch = RecordBatch::try_new(Arc::new(Schema::new(table.fields.clone())), rows.columns.clone())?;
    for check in &table.checks {
        let outcome = check_condition::compile(context, table, check)?.evaluate(&batch)?.into_array(rows.n_rows)?;
        let outcome = outcome.as_boolean_opt().ok_or_else(|| Error::internal("a condition is not boolean"))?;
        if let Some(row) = outcome.iter().position(|passes| passes == Some(false)) {
            let message = format!("new row of table {} violates check constraint {}", table.full_name(), check.name);
            let error = Error::new(ErrorKind::CheckViolation, message);
            return Err(if rows.n_rows > 1 {
                error.with_detail(format!("row {} of the statement", row + 1))
            } else {
                error
            });
        }
    }
    Ok(())
}
