//! Rows of earlier versions of a table's columns, brought to the current version.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, Scalar, StringArray, UInt32Array, new_null_array};
use datafusion::arrow::compute::kernels::zip::zip;
use datafusion::arrow::compute::{concat, is_null, take};
use datafusion::arrow::datatypes::{DataType, Field};
use kalamdb_types::{Source, SqlType, coerce};

use crate::catalog::{ColumnDef, Table};
use crate::error::{Error, ErrorKind, Result};

/// Columns of rows that were written with version `from` of the table's columns, as the current version has them.
///
/// They go through every version in between, so that a row reads the same whether it was in memory meanwhile or not.
/// What an ALTER has not looked at, superseded rows and tombstones, may not convert: it becomes NULL, or some value of
/// a type without NULL.
pub(crate) fn upgrade_to(table: &Table, from: u32, columns: Vec<ArrayRef>, n_rows: usize) -> Result<Vec<ArrayRef>> {
    let unknown = || {
        let message =
            format!("table {}: rows are of schema version {from}, which the table does not have", table.full_name());
        Error::new(ErrorKind::DataCorrupted, message)
    };
    let mut current = table.columns_of(from).ok_or_else(unknown)?;
    let mut columns = columns;
    for next in table.columns_since(from) {
        columns = next.iter().map(|to| upgraded_column(current, &columns, to, n_rows)).collect::<Result<Vec<_>>>()?;
        current = next;
    }
    Ok(columns)
}

fn upgraded_column(from: &[ColumnDef], columns: &[ArrayRef], to: &ColumnDef, n_rows: usize) -> Result<ArrayRef> {
    let old = from.iter().zip(columns).find(|(column, _)| column.id == to.id);
    next_column(old.map(|(column, values)| (column, Arc::clone(values))), to, n_rows)
}

/// One column, by its id, of rows that were written with version `from` of the table's columns, as the current version
/// has it. `stored` is `None` if that version did not have it.
pub(crate) fn upgrade_column(
    table: &Table,
    from: u32,
    id: u32,
    stored: Option<ArrayRef>,
    n_rows: usize,
) -> Result<ArrayRef> {
    let definition = table.columns_of(from).and_then(|columns| columns.iter().find(|column| column.id == id));
    let mut current = definition.zip(stored);
    for next in table.columns_since(from) {
        if let Some(to) = next.iter().find(|column| column.id == id) {
            current = Some((to, next_column(current, to, n_rows)?));
        }
    }
    current
        .map(|(_, values)| values)
        .ok_or_else(|| Error::internal(format!("table {} has no column {id}", table.full_name())))
}

/// A column as the next version has it.
fn next_column(old: Option<(&ColumnDef, ArrayRef)>, to: &ColumnDef, n_rows: usize) -> Result<ArrayRef> {
    let column = match old {
        Some((old, values)) if old.sql_type == to.sql_type => values,
        Some((old, values)) => convert(&values, old, to)?,
        None => missing_values(to, n_rows)?,
    };
    if to.nullable || column.null_count() == 0 {
        return Ok(column);
    }
    let mask: BooleanArray = is_null(&column)?;
    Ok(zip(&mask, &Scalar::new(filler(&to.sql_type)?), &column)?)
}

/// What rows read in a column that was added after they were written.
pub(crate) fn missing_values(column: &ColumnDef, n_rows: usize) -> Result<ArrayRef> {
    let Some(stored) = &column.missing else {
        return Ok(new_null_array(&column.sql_type.arrow(), n_rows));
    };
    let damaged = |what: String| {
        Error::new(
            ErrorKind::DataCorrupted,
            format!("column {}: its value for older rows is damaged: {what}", column.name),
        )
    };
    let one = kalamdb_types::json::decode_rows(stored.as_bytes(), std::slice::from_ref(&column.sql_type), 1);
    let one = one.map_err(|error| damaged(error.to_string()))?.pop().filter(|one| one.len() == 1);
    let one = one.ok_or_else(|| damaged("it is not one value".to_owned()))?;
    Ok(take(&one, &UInt32Array::from(vec![0; n_rows]), None)?)
}

fn convert(values: &ArrayRef, old: &ColumnDef, to: &ColumnDef) -> Result<ArrayRef> {
    let field = old.sql_type.field(&old.name, true);
    if let Ok(converted) = coerce(values, &field, &to.sql_type, Source::Sql) {
        return Ok(converted);
    }
    let one = |row| {
        coerce(&values.slice(row, 1), &field, &to.sql_type, Source::Sql)
            .unwrap_or_else(|_| new_null_array(&to.sql_type.arrow(), 1))
    };
    let parts: Vec<ArrayRef> = (0..values.len()).map(one).collect();
    let parts: Vec<&dyn Array> = parts.iter().map(|part| part.as_ref()).collect();
    Ok(concat(&parts)?)
}

/// Some value of the type, for rows that nobody sees in a column that does not take NULL.
fn filler(sql_type: &SqlType) -> Result<ArrayRef> {
    const TEXTS: [&str; 9] =
        ["", "0", "false", "null", "1970-01-01", "00:00:00", "00000000-0000-0000-0000-000000000000", "{}", "[]"];
    let field = Field::new("filler", DataType::Utf8, true);
    let value = |text: &str| {
        let text: ArrayRef = Arc::new(StringArray::from(vec![text]));
        coerce(&text, &field, sql_type, Source::Sql).ok()
    };
    let found = match sql_type {
        SqlType::Embedding(length) => value(&format!("[{}]", vec!["0"; *length as usize].join(","))),
        _ => TEXTS.into_iter().find_map(value),
    };
    found.ok_or_else(|| Error::internal(format!("no value is known of type {sql_type}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may panic")]

    use datafusion::arrow::array::Array;
    use kalamdb_types::SqlType;

    use super::filler;

    #[test]
    fn there_is_a_value_of_every_type() {
        for sql_type in SqlType::all_examples() {
            let value = filler(&sql_type).unwrap();
            assert_eq!((value.len(), value.null_count()), (1, 0), "{sql_type}");
            assert_eq!(*value.data_type(), sql_type.arrow(), "{sql_type}");
        }
    }
}
