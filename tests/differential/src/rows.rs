//! Rows as the texts that PostgreSQL would send.

use std::fmt::Write;

use kalamdb_core::datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use kalamdb_core::datafusion::arrow::datatypes::{DataType, Field};
use kalamdb_core::datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use kalamdb_core::{Error, ErrorKind, ResultField};
use kalamdb_types::{Source, SqlType, coerce};

type Texts = Vec<Option<String>>;

pub(crate) fn texts(fields: &[ResultField], batches: &[RecordBatch]) -> Result<Vec<Texts>, Error> {
    let mut rows = Vec::new();
    for batch in batches {
        let columns = batch
            .columns()
            .iter()
            .zip(fields)
            .map(|(array, field)| column(array, &field.type_name))
            .collect::<Result<Vec<_>, _>>()?;
        let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
        rows.extend((0..batch.num_rows()).map(|_| columns.iter_mut().map(|texts| texts.next().flatten()).collect()));
    }
    Ok(rows)
}

fn column(array: &ArrayRef, type_name: &str) -> Result<Texts, Error> {
    let sql_type = type_name.parse::<SqlType>();
    let field =
        sql_type.map_or_else(|_| Field::new("", array.data_type().clone(), true), |sql_type| sql_type.field("", true));
    let field = field.with_data_type(array.data_type().clone());
    match array.data_type() {
        DataType::Null => Ok(vec![None; array.len()]),
        DataType::Binary => Ok(array.as_binary::<i32>().iter().map(|bytes| bytes.map(hex)).collect()),
        DataType::LargeBinary => Ok(array.as_binary::<i64>().iter().map(|bytes| bytes.map(hex)).collect()),
        DataType::BinaryView => Ok(array.as_binary_view().iter().map(|bytes| bytes.map(hex)).collect()),
        _ => match coerce(array, &field, &SqlType::Text, Source::Sql) {
            Ok(texts) => Ok(texts.as_string_view().iter().map(|text| text.map(str::to_owned)).collect()),
            Err(_) => formatted(array),
        },
    }
}

/// For what is no type of a column.
fn formatted(array: &ArrayRef) -> Result<Texts, Error> {
    let failed =
        |error: &dyn std::fmt::Display| Error::new(ErrorKind::InternalError, format!("a value has no text: {error}"));
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(array, &options).map_err(|error| failed(&error))?;
    let text = |row| formatter.value(row).try_to_string().map_err(|error| failed(&error));
    (0..array.len()).map(|row| if array.is_null(row) { Ok(None) } else { text(row).map(Some) }).collect()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = "\\x".to_owned();
    for byte in bytes {
        // Writing to a string does not fail.
        _ = write!(text, "{byte:02x}");
    }
    text
}
