//! `VALUES` of plain literals and parameters, read without the planner: exact, and fast for many rows.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Decimal128Array, Float64Array, Int64Array, NullArray, StringArray,
    UInt64Array, new_null_array,
};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::sql::sqlparser::ast::{Expr, Parens, UnaryOperator, Value};
use kalamdb_types::{Source, SqlType, TypeError, coerce};

use crate::error::Result;
use crate::sql::parse::Parameters;

/// One cell of a row of VALUES.
#[derive(Debug)]
pub(super) enum Cell<'a> {
    Null,
    /// The keyword DEFAULT.
    Default,
    Boolean(bool),
    /// A number as it is written.
    Number {
        text: &'a str,
        negative: bool,
    },
    Text(&'a str),
    Bytes(Vec<u8>),
    Parameter(&'a (ArrayRef, FieldRef)),
}

/// The cells of `rows`, or `None` if one of them is an expression that has to be planned.
pub(super) fn read<'a>(rows: &'a [Parens<Vec<Expr>>], parameters: &'a Parameters) -> Option<Vec<Vec<Cell<'a>>>> {
    rows.iter().map(|row| row.content.iter().map(|expr| cell(expr, parameters)).collect()).collect()
}

pub(crate) fn cell<'a>(expr: &'a Expr, parameters: &'a Parameters) -> Option<Cell<'a>> {
    match expr {
        Expr::Value(value) => literal(&value.value, parameters),
        Expr::UnaryOp { op: op @ (UnaryOperator::Minus | UnaryOperator::Plus), expr } => match &**expr {
            Expr::Value(value) => match &value.value {
                Value::Number(text, false) => Some(Cell::Number { text, negative: *op == UnaryOperator::Minus }),
                _ => None,
            },
            _ => None,
        },
        Expr::Identifier(ident) if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("default") => {
            Some(Cell::Default)
        }
        _ => None,
    }
}

/// A literal or parameter as one value of the type that the planner gives it; `None` for any other expression, and for
/// numbers that are no integers.
pub(super) fn constant(expr: &Expr, parameters: &Parameters) -> Option<(ArrayRef, FieldRef)> {
    let array: ArrayRef = match cell(expr, parameters)? {
        Cell::Null => Arc::new(NullArray::new(1)),
        Cell::Boolean(value) => Arc::new(BooleanArray::from(vec![value])),
        Cell::Text(text) => Arc::new(StringArray::from(vec![text])),
        Cell::Number { text, negative: false } => Arc::new(Int64Array::from(vec![text.parse::<i64>().ok()?])),
        Cell::Parameter((array, _)) => Arc::clone(array),
        Cell::Number { .. } | Cell::Bytes(_) | Cell::Default => return None,
    };
    let field = Field::new("", array.data_type().clone(), true);
    Some((array, Arc::new(field)))
}

/// Whether the expression is a literal or a parameter whatever the parameters are, and not DEFAULT.
pub(super) fn is_literal(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) if matches!(value.value, Value::Placeholder(_)) => true,
        expr => cell(expr, &Parameters::default()).is_some_and(|cell| !matches!(cell, Cell::Default)),
    }
}

fn literal<'a>(value: &'a Value, parameters: &'a Parameters) -> Option<Cell<'a>> {
    Some(match value {
        Value::Null => Cell::Null,
        Value::Boolean(value) => Cell::Boolean(*value),
        Value::Number(text, false) => Cell::Number { text, negative: false },
        Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => Cell::Text(text),
        Value::DollarQuotedString(text) => Cell::Text(&text.value),
        Value::HexStringLiteral(digits) => Cell::Bytes(bytes_of_hex(digits)?),
        Value::Placeholder(name) => Cell::Parameter(parameters.by_placeholder(name)?),
        _ => return None,
    })
}

fn bytes_of_hex(digits: &str) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) || !digits.is_ascii() {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect()
}

/// One column of cells as an array of the column's type. The cells hold no [`Cell::Default`].
pub(super) fn column(cells: &[&Cell<'_>], target: &SqlType) -> Result<ArrayRef> {
    if let Some(array) = uniform(cells, target) {
        return Ok(converted(&array, target)?);
    }
    if let Some((array, field)) = parameters(cells)? {
        return Ok(coerce(&array, field, target, Source::Value)?);
    }
    let parts =
        cells.iter().enumerate().map(|(row, cell)| single(cell, target).map_err(|error| TypeError { row, ..error }));
    let parts = parts.collect::<std::result::Result<Vec<_>, _>>()?;
    let parts: Vec<&dyn Array> = parts.iter().map(|part| part.as_ref()).collect();
    Ok(concat(&parts)?)
}

fn single(cell: &Cell<'_>, target: &SqlType) -> std::result::Result<ArrayRef, TypeError> {
    if let Cell::Parameter((array, field)) = cell {
        return coerce(array, field, target, Source::Value);
    }
    let array = uniform(&[cell], target).unwrap_or_else(|| Arc::new(NullArray::new(1)));
    converted(&array, target)
}

/// Cells that are all parameters, of one type or NULL, as one array.
fn parameters<'a>(cells: &[&Cell<'a>]) -> Result<Option<(ArrayRef, &'a FieldRef)>> {
    let mut arrays = Vec::with_capacity(cells.len());
    for cell in cells {
        let Cell::Parameter((array, field)) = cell else { return Ok(None) };
        arrays.push((array, field));
    }
    let Some((_, field)) = arrays.iter().find(|(array, _)| *array.data_type() != DataType::Null).or(arrays.first())
    else {
        return Ok(None);
    };
    let null = new_null_array(field.data_type(), 1);
    let mut parts: Vec<&dyn Array> = Vec::with_capacity(arrays.len());
    for (array, other) in &arrays {
        parts.push(match array.data_type() {
            DataType::Null => &null,
            _ if other.data_type() == field.data_type() && other.metadata() == field.metadata() => array.as_ref(),
            _ => return Ok(None),
        });
    }
    Ok(Some((concat(&parts)?, field)))
}

fn converted(array: &ArrayRef, target: &SqlType) -> std::result::Result<ArrayRef, TypeError> {
    let field = Field::new("values", array.data_type().clone(), true);
    coerce(array, &field, target, Source::Sql)
}

/// The cells as one array of the type that they all have, or `None` if they differ.
fn uniform(cells: &[&Cell<'_>], target: &SqlType) -> Option<ArrayRef> {
    let first = cells.iter().find(|cell| !matches!(cell, Cell::Null));
    Some(match first {
        None => Arc::new(NullArray::new(cells.len())),
        Some(Cell::Boolean(_)) => Arc::new(
            collect(cells, |cell| match cell {
                Cell::Boolean(value) => Some(*value),
                _ => None,
            })?
            .into_iter()
            .collect::<BooleanArray>(),
        ),
        Some(Cell::Text(_)) => Arc::new(
            collect(cells, |cell| match cell {
                Cell::Text(text) => Some(*text),
                _ => None,
            })?
            .into_iter()
            .collect::<StringArray>(),
        ),
        Some(Cell::Bytes(_)) => Arc::new(
            collect(cells, |cell| match cell {
                Cell::Bytes(bytes) => Some(bytes.as_slice()),
                _ => None,
            })?
            .into_iter()
            .collect::<BinaryArray>(),
        ),
        Some(Cell::Number { .. }) => numbers(cells, target)?,
        Some(Cell::Null | Cell::Default | Cell::Parameter(_)) => return None,
    })
}

/// One value a cell, `None` for NULL; `None` altogether if a cell is of another kind.
fn collect<'c, T>(cells: &[&'c Cell<'_>], value: impl Fn(&'c Cell<'_>) -> Option<T>) -> Option<Vec<Option<T>>> {
    cells.iter().map(|cell| if matches!(cell, Cell::Null) { Some(None) } else { value(cell).map(Some) }).collect()
}

/// Numbers in the narrowest of 64-bit integers and doubles that holds all of them exactly as PostgreSQL would; decimals
/// keep the digits as they are written.
fn numbers(cells: &[&Cell<'_>], target: &SqlType) -> Option<ArrayRef> {
    let texts = collect(cells, |cell| match cell {
        Cell::Number { text, negative } => Some(if *negative { format!("-{text}") } else { (*text).to_owned() }),
        _ => None,
    })?;
    if matches!(target.arrow(), DataType::Decimal128(..)) || matches!(target, SqlType::Text | SqlType::Varchar(_)) {
        return Some(Arc::new(texts.into_iter().collect::<StringArray>()));
    }
    if let Some(values) = parse_all::<i64>(&texts) {
        return Some(Arc::new(Int64Array::from(values)));
    }
    if let Some(values) = parse_all::<u64>(&texts) {
        return Some(Arc::new(UInt64Array::from(values)));
    }
    if target.arrow().is_integer() {
        return Some(Arc::new(rounded(&texts)?.with_precision_and_scale(38, 0).ok()?));
    }
    parse_all::<f64>(&texts).map(|values| Arc::new(Float64Array::from(values)) as ArrayRef)
}

/// Numbers as integers, halves away from zero: as it is written a number is exact.
fn rounded(texts: &[Option<String>]) -> Option<Decimal128Array> {
    let number = |text: &String| {
        text.parse::<i128>().ok().or_else(|| text.parse::<f64>().ok().map(|value| value.round() as i128))
    };
    texts.iter().map(|text| text.as_ref().map_or(Some(None), |text| number(text).map(Some))).collect()
}

fn parse_all<T: std::str::FromStr>(texts: &[Option<String>]) -> Option<Vec<Option<T>>> {
    texts.iter().map(|text| text.as_ref().map_or(Some(None), |text| text.parse().ok().map(Some))).collect()
}
