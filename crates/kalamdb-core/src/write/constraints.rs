use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::Array;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use kalamdb_store::PartitionId;

use super::Rows;
use crate::catalog::Table;
use crate::database::View;
use crate::error::{Error, ErrorKind, Result};
use crate::partition::{Keys, RowAddress};

/// The longest value that a message quotes, in characters.
const MAX_QUOTED_CHARS: usize = 60;

/// Refuses NULL in columns that do not take it.
pub(crate) fn check_not_null(table: &Table, rows: &Rows) -> Result<()> {
    for (definition, column) in table.columns.iter().zip(&rows.columns) {
        if definition.nullable || column.logical_null_count() == 0 {
            continue;
        }
        let row = (0..column.len()).find(|row| column.is_null(*row)).unwrap_or_default();
        let message = format!("null value in column {} of table {} violates its NOT NULL constraint", definition.name, table.full_name());
        let error = Error::new(ErrorKind::NotNullViolation, message);
        return Err(if rows.n_rows > 1 { error.with_detail(format!("row {} of the statement", row + 1)) } else { error });
    }
    Ok(())
}

/// Refuses keys that exist twice among `rows`, or already among the live rows that are not in `replaced`.
///
/// Returns whether none of the keys has ever been stored, so that no earlier version has to be masked.
pub(crate) fn check_unique(view: View<'_>, table: &Arc<Table>, partition: &PartitionId, rows: &Rows, replaced: &HashSet<RowAddress>) -> Result<bool> {
    if !table.has_primary_key() {
        return Ok(rows.row_ids.is_none());
    }
    let keys = Keys::of_columns(table, |index| rows.column(index))?;
    if let Some(row) = first_repeated(&keys) {
        return Err(unique_violation(table, rows, row, "is given twice"));
    }
    let stored = view.find(table, partition, &keys)?;
    // A tombstone does not hold its key.
    let taken = stored.iter().position(|stored| stored.is_some_and(|stored| !stored.is_deleted && !replaced.contains(&stored.address)));
    if let Some(row) = taken {
        return Err(unique_violation(table, rows, row, "already exists"));
    }
    Ok(stored.iter().all(Option::is_none))
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

fn unique_violation(table: &Table, rows: &Rows, row: usize, what: &str) -> Error {
    let names: Vec<&str> = table.primary_key.iter().filter_map(|&index| table.columns.get(index)).map(|column| column.name.as_str()).collect();
    let values: Vec<String> = table.primary_key.iter().filter_map(|&index| rows.columns.get(index)).map(|column| quoted(column, row)).collect();
    let message = format!("duplicate key value violates the primary key of table {}", table.full_name());
    Error::new(ErrorKind::UniqueViolation, message).with_detail(format!("key ({})=({}) {what}", names.join(", "), values.join(", ")))
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
