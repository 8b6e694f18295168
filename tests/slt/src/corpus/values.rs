use kalamdb_core::datafusion::arrow::array::{Array, AsArray, RecordBatch};
use kalamdb_core::datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
use kalamdb_core::datafusion::arrow::error::ArrowError;
use kalamdb_core::datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use super::Dialect;

pub(super) fn print_row(
    dialect: Dialect,
    batch: &RecordBatch,
    row: usize,
    types: &str,
) -> Result<Vec<String>, ArrowError> {
    let mut types = types.chars();
    batch
        .columns()
        .iter()
        .map(|column| match dialect {
            Dialect::Sqlite => print_sqlite(column, row, types.next().unwrap_or('T')),
            Dialect::DataFusion => print_datafusion(column, row),
        })
        .collect()
}

fn plain(column: &dyn Array, row: usize) -> Result<String, ArrowError> {
    ArrayFormatter::try_new(column, &FormatOptions::default().with_null("NULL"))?.value(row).try_to_string()
}

/// As SQLite's own runner prints: integers, three decimals, or the text.
fn print_sqlite(column: &dyn Array, row: usize, expected: char) -> Result<String, ArrowError> {
    if column.is_null(row) || column.data_type() == &DataType::Null {
        return Ok("NULL".to_owned());
    }
    let text = match column.data_type() {
        DataType::Boolean => u8::from(column.as_boolean().value(row)).to_string(),
        DataType::Float32 => f64::from(column.as_primitive::<Float32Type>().value(row)).to_string(),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).to_string(),
        _ => plain(column, row)?,
    };
    Ok(match expected {
        // The reference takes a prefix that is a number, or 0.
        'I' => match text.parse::<i64>() {
            Ok(number) => number.to_string(),
            Err(_) => format!("{}", text.parse::<f64>().unwrap_or_default().trunc()),
        },
        'R' => format!("{:.3}", text.parse::<f64>().unwrap_or_default()),
        _ if text.is_empty() => "(empty)".to_owned(),
        _ => text.chars().map(|character| if (' '..='~').contains(&character) { character } else { '@' }).collect(),
    })
}

/// As DataFusion's own runner prints: floats without an exponent, with at most 12 decimals.
fn print_datafusion(column: &dyn Array, row: usize) -> Result<String, ArrowError> {
    if column.is_null(row) {
        return Ok("NULL".to_owned());
    }
    let float = |value: f64| match value {
        value if value.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        value => trimmed(&format!("{value:.12}")),
    };
    Ok(match column.data_type() {
        DataType::Float32 => {
            let value = column.as_primitive::<Float32Type>().value(row);
            // The shortest text of the narrow float, not of the double that it widens to.
            float(value.to_string().parse().unwrap_or(f64::NAN))
        }
        DataType::Float64 => float(column.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(..) | DataType::Decimal256(..) => trimmed(&plain(column, row)?),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => match plain(column, row)? {
            text if text.is_empty() => "(empty)".to_owned(),
            text => text.trim_end_matches('\n').replace('\0', "\\0"),
        },
        DataType::Dictionary(..) => {
            let dictionary = column.as_any_dictionary();
            let key = dictionary.normalized_keys().get(row).copied().unwrap_or_default();
            print_datafusion(dictionary.values(), key)?
        }
        _ => plain(column, row)?,
    })
}

fn trimmed(number: &str) -> String {
    let number = if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
    if number == "-0" { "0".to_owned() } else { number.to_owned() }
}
