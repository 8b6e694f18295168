//! Conversion of any Arrow array to a column's type.

mod arrays;
mod boolean;
mod bytes;
mod elements;
mod floats;
mod integers;
mod intervals;
mod plain;
mod strings;
mod temporal;

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, PrimitiveArray, StringViewArray, new_null_array, types::*},
    datatypes::{ArrowPrimitiveType, DataType, Field},
};

use self::plain::Plain;
use crate::{
    SqlType, TYPE_KEY, TypeError,
    error::Failure,
    number::{self, Excess},
    text, type_name,
};

/// Where the values come from, which says how strict the conversion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A SQL expression or literal: PostgreSQL's assignment casts. Numbers are rounded (halves of floats to even, of
    /// decimals away from zero), and everything but bytes may become text.
    Sql,
    /// A JavaScript value: nothing is rounded away, and only strings are text.
    Value,
}

impl Source {
    fn excess(self) -> Excess {
        match self {
            Self::Sql => Excess::Round,
            Self::Value => Excess::Refuse,
        }
    }
}

/// Converts `array` to the Arrow type of `target`. `field` describes the array; its metadata tells JSON from text.
///
/// The array itself is returned, without copying, if it already has the type and its values pass: `VARCHAR(n)`, `UUID`
/// and `JSON` are always checked, because metadata may outlive the values that it described, and so are the elements of
/// arrays. The result has as many rows as the array, NULL where the array is.
///
/// # Errors
/// The first value that does not convert.
pub fn coerce(array: &ArrayRef, field: &Field, target: &SqlType, source: Source) -> Result<ArrayRef, TypeError> {
    // Dictionaries and runs are only ways to store the values that they hold.
    let array = plain::unpack(array).ok_or_else(|| describe(Fault::whole(Failure::Type), array, field, target))?;
    convert(&array, field, *target, source).map_err(|fault| describe(fault, &array, field, target))
}

/// A failure and the row where it happened.
#[derive(Debug, Clone, Copy)]
struct Fault {
    row: usize,
    failure: Failure,
}

impl Fault {
    /// The array's type rules the conversion out, or no row is to blame.
    fn whole(failure: Failure) -> Self {
        Self { row: 0, failure }
    }
}

type Converted = Result<ArrayRef, Fault>;

fn convert(array: &ArrayRef, field: &Field, target: SqlType, source: Source) -> Converted {
    let array = &plain::unpack(array).ok_or(Fault::whole(Failure::Type))?;
    if *array.data_type() == DataType::Null {
        return Ok(new_null_array(&target.arrow(), array.len()));
    }
    let is_json = field.metadata().get(TYPE_KEY).is_some_and(|name| *name == SqlType::Json.to_string());
    if source == Source::Value
        && is_json
        && !matches!(target, SqlType::Json | SqlType::Array(_) | SqlType::Embedding(_))
    {
        return Err(Fault::whole(Failure::Type));
    }
    let is_same = *array.data_type() == target.arrow();
    let plain = || Plain::of(array);
    match target {
        SqlType::Decimal(precision, _) if is_same => floats::check_decimal(array, precision),
        SqlType::Real if is_same => Ok(floats::with_one_nan::<Float32Type>(array, f32::NAN)),
        SqlType::Double if is_same => Ok(floats::with_one_nan::<Float64Type>(array, f64::NAN)),
        SqlType::Time if is_same => temporal::check_time(array),
        SqlType::Array(of) => arrays::to_array(array, field, of.element(), source),
        SqlType::Embedding(length) => arrays::to_embedding(array, field, length, source),
        _ if is_same && !matches!(target, SqlType::Varchar(_) | SqlType::Uuid | SqlType::Json) => Ok(Arc::clone(array)),
        SqlType::Boolean => boolean::convert(plain()?),
        SqlType::TinyInt => integers::convert::<Int8Type>(plain()?, source),
        SqlType::SmallInt => integers::convert::<Int16Type>(plain()?, source),
        SqlType::Integer => integers::convert::<Int32Type>(plain()?, source),
        SqlType::BigInt => integers::convert::<Int64Type>(plain()?, source),
        SqlType::TinyIntUnsigned => integers::convert::<UInt8Type>(plain()?, source),
        SqlType::SmallIntUnsigned => integers::convert::<UInt16Type>(plain()?, source),
        SqlType::IntegerUnsigned => integers::convert::<UInt32Type>(plain()?, source),
        SqlType::BigIntUnsigned => integers::convert::<UInt64Type>(plain()?, source),
        SqlType::Real => Ok(floats::with_one_nan::<Float32Type>(&floats::to_real(plain()?)?, f32::NAN)),
        SqlType::Double => Ok(floats::with_one_nan::<Float64Type>(&floats::to_double(plain()?)?, f64::NAN)),
        SqlType::Decimal(precision, scale) => floats::to_decimal(plain()?, precision, scale, source),
        SqlType::Text => strings::to_text(array, source),
        SqlType::Varchar(length) => strings::to_varchar(array, length, source),
        SqlType::Bytea => bytes::convert(plain()?),
        SqlType::Date => temporal::to_date(plain()?, source),
        SqlType::Time => temporal::to_time(plain()?, source),
        SqlType::Timestamp => temporal::to_timestamp(plain()?, false),
        SqlType::TimestampTz => temporal::to_timestamp(plain()?, true),
        SqlType::Interval => intervals::convert(array),
        SqlType::Uuid => strings::to_uuid(array),
        SqlType::Json => strings::to_json(array),
    }
}

/// Converts each value of one primitive type to another.
fn map<S: ArrowPrimitiveType, T: ArrowPrimitiveType>(
    array: &PrimitiveArray<S>,
    convert: impl Fn(S::Native) -> Result<T::Native, Failure>,
) -> Result<PrimitiveArray<T>, Fault> {
    array.try_unary(&convert).map_err(|failure| {
        // The kernel does not say where it stopped; failures are rare enough to look again.
        let row = array.iter().position(|value| value.is_some_and(|value| convert(value).is_err()));
        Fault { row: row.unwrap_or(0), failure }
    })
}

/// Parses each text to a value of a primitive type.
fn parse<T: ArrowPrimitiveType>(
    texts: &StringViewArray,
    parse: impl Fn(&str) -> Result<T::Native, Failure>,
) -> Result<PrimitiveArray<T>, Fault> {
    let mut values = Vec::with_capacity(texts.len());
    for (row, text) in texts.iter().enumerate() {
        values.push(match text {
            Some(text) => parse(text).map_err(|failure| Fault { row, failure })?,
            None => T::Native::default(),
        });
    }
    Ok(PrimitiveArray::new(values.into(), texts.nulls().cloned()))
}

/// The most characters of a value that a message shows.
const SHOWN_CHARS: usize = 60;

fn describe(fault: Fault, array: &ArrayRef, field: &Field, target: &SqlType) -> TypeError {
    let row = if fault.failure == Failure::Type {
        (0..array.len()).find(|row| !array.is_null(*row)).unwrap_or(0)
    } else {
        fault.row
    };
    let value = show(array, row);
    let message = match fault.failure {
        Failure::Type => {
            let from =
                type_name(&Field::new("", array.data_type().clone(), true).with_metadata(field.metadata().clone()));
            match value {
                Some(value) => format!("{from} value {value} cannot be stored as {target}"),
                None => format!("{from} values cannot be stored as {target}"),
            }
        }
        failure => {
            let value = value.unwrap_or_default();
            match failure {
                Failure::Range | Failure::DatetimeRange => format!("value {value} is out of range for type {target}"),
                Failure::Fraction => format!("value {value} is not an integer, as type {target} needs"),
                Failure::Digits => format!("value {value} has more digits after the point than type {target} keeps"),
                Failure::Length(found) => {
                    format!("value {value} has {found} numbers, {target} needs {}", needed(target))
                }
                Failure::NullNumber => format!("value {value} holds NULL, which type {target} cannot"),
                Failure::TooLong => format!("value {value} is too long for type {target}"),
                Failure::Syntax | Failure::Datetime | Failure::Type => {
                    format!("invalid input for type {target}: {value}")
                }
            }
        }
    };
    TypeError { kind: fault.failure.kind(), row, message }
}

/// How many numbers the vectors of a type have: its own, or those within its arrays.
fn needed(target: &SqlType) -> u32 {
    match target {
        SqlType::Embedding(length) => *length,
        SqlType::Array(array) => needed(&array.element()),
        _ => 0,
    }
}

/// The value in `row`, shortened; texts in quotes.
fn show(array: &ArrayRef, row: usize) -> Option<String> {
    if row >= array.len() || array.is_null(row) {
        return None;
    }
    let mut value = String::new();
    text::write_cell(array, row, &mut value);
    if let Some((end, _)) = value.char_indices().nth(SHOWN_CHARS) {
        value.truncate(end);
        value.push_str("...");
    }
    let is_text = matches!(array.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    Some(if is_text { format!("{value:?}") } else { value })
}
