//! NOT NULL and UNIQUE.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::Array;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::catalog::{PartitionId, Table};
use crate::database::ReadView;
use crate::error::{Error, ErrorKind, Result};
use crate::partition::{RowAddress, StoredKey, is_expired, oldest_in_buffer};
use crate::rows::{Keys, Rows, unique_keys};

/// The longest value that a message quotes, in characters.
const MAX_QUOTED_CHARS: usize = 60;

/// Refuses NULL in columns that do not take it.
pub(crate) fn check_not_null(table: &Table, rows: &Rows) -> Result<()> {
    for (definition, column) in table.columns.iter().zip(&rows.columns) {
        if definition.nullable || column.logical_null_count() == 0 {
            continue;
        }
        let row = (0..column.len()).find(|row| column.is_null(*row)).unwrap_or_default();
        let message = format!(
            "null value in column {} of table {} violates its NOT NULL constraint",
            definition.name,
            table.full_name()
        );
        let error = Error::new(ErrorKind::NotNullViolation, message);
        return Err(if rows.n_rows > 1 {
            error.with_detail(format!("row {} of the statement", row + 1))
        } else {
            error
        });
    }
    Ok(())
}

/// Refuses rows whose keys or unique values are given twice, or are those of live rows that are not in `replaced`.
///
/// Returns the current version, live or tombstone, of each row's primary key.
pub(crate) fn check_unique(
    view: ReadView<'_>,
    table: &Arc<Table>,
    partition: &PartitionId,
    rows: &Rows,
    replaced: &HashSet<RowAddress>,
) -> Result<Vec<Option<StoredKey>>> {
    let mut stored = vec![None; rows.n_rows];
    if table.has_primary_key() {
        let keys = Keys::of_columns(table, |index| rows.column(index))?;
        if let Some(row) = first_repeated(&keys) {
            return Err(unique_violation(table, &table.primary_key, "the primary key", rows, row, true));
        }
        stored = view.find(table, partition, &keys)?;
        // A tombstone does not hold its key.
        let rows_there = view.snapshot(table, partition)?;
        let now_us = view.now_us();
        // Nor does an event that is over, be it too old or pushed out of the buffer.
        let in_buffer_from = OnceCell::new();
        let is_live = |stored: &StoredKey| {
            let chunk = rows_there.get(stored.address.chunk());
            !stored.is_deleted
                && chunk.is_none_or(|chunk| !is_expired(&table.options, now_us, chunk.updated_us(stored.address.row())))
                && (stored.address.chunk(), stored.address.row())
                    >= *in_buffer_from.get_or_init(|| oldest_in_buffer(&rows_there, &table.options, now_us))
        };
        let taken = stored
            .iter()
            .position(|stored| stored.is_some_and(|stored| is_live(&stored) && !replaced.contains(&stored.address)));
        if let Some(row) = taken {
            return Err(unique_violation(table, &table.primary_key, "the primary key", rows, row, false));
        }
    }
    for index in table.indexes.iter().filter(|index| index.unique) {
        let keys = unique_keys(rows, &index.columns)?;
        let name = format!("the unique constraint {}", index.name);
        let mut seen = HashSet::with_capacity(keys.len());
        if let Some(row) = keys.iter().position(|key| key.as_ref().is_some_and(|key| !seen.insert(key))) {
            return Err(unique_violation(table, &index.columns, &name, rows, row, true));
        }
        let holders = view.find_unique(table, partition, &index.columns, &keys)?;
        if let Some(row) = holders.iter().position(|holder| holder.is_some_and(|address| !replaced.contains(&address)))
        {
            return Err(unique_violation(table, &index.columns, &name, rows, row, false));
        }
    }
    Ok(stored)
}

fn first_repeated(keys: &Keys) -> Option<usize> {
    match keys {
        Keys::Integers(keys) => {
            let mut seen = HashSet::with_capacity(keys.len());
            keys.iter().position(|key| !seen.insert(*key))
        }
        Keys::Bytes(rows) => {
            let mut seen = HashSet::with_capacity(rows.num_rows());
            (0..rows.num_rows()).find(|row| !seen.insert(rows.row(*row).data().to_vec()))
        }
    }
}

fn unique_violation(
    table: &Table,
    columns: &[usize],
    constraint: &str,
    rows: &Rows,
    row: usize,
    within_statement: bool,
) -> Error {
    let values: Vec<String> =
        columns.iter().filter_map(|&index| rows.columns.get(index)).map(|column| quoted(column, row)).collect();
    let message = format!("duplicate key value violates {constraint} of table {}", table.full_name());
    let what = if within_statement { "is given twice" } else { "already exists" };
    Error::new(ErrorKind::UniqueViolation, message).with_detail(format!(
        "key ({})=({}) {what}",
        table.column_list(columns),
        values.join(", ")
    ))
}

/// A value as text, shortened.
fn quoted(column: &dyn Array, row: usize) -> String {
    let text = ArrayFormatter::try_new(column, &FormatOptions::default())
        .ok()
        .and_then(|formatter| formatter.value(row).try_to_string().ok())
        .unwrap_or_default();
    if text.chars().count() > MAX_QUOTED_CHARS {
        let start: String = text.chars().take(MAX_QUOTED_CHARS).collect();
        return format!("{start}...");
    }
    text
}
