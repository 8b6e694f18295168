use arrow::{
    array::{
        Array, ArrayRef, AsArray, BinaryArray, BooleanArray, FixedSizeListArray, ListArray, PrimitiveArray,
        StringViewArray, types::*,
    },
    datatypes::ArrowPrimitiveType,
};
use base64::{Engine, engine::general_purpose::STANDARD};

use super::JsonError;
use crate::{SqlType, text};

/// Appends the rows `from..to` as one JSON array: `[[1,"a"],[2,null]]`.
///
/// `columns[i]` must have the Arrow type of `types[i]` ([`coerce`](crate::coerce) makes it so).
///
/// # Errors
/// If it has not, or there are no such rows; nothing is appended then.
pub fn encode_rows(
    columns: &[ArrayRef],
    types: &[SqlType],
    from: usize,
    to: usize,
    out: &mut Vec<u8>,
) -> Result<(), JsonError> {
    if columns.len() != types.len() {
        return Err(JsonError::Shape(format!("{} columns of {} types", columns.len(), types.len())));
    }
    if from > to || columns.iter().any(|column| column.len() < to) {
        return Err(JsonError::Shape(format!("no rows {from}..{to}")));
    }
    let cells = columns
        .iter()
        .zip(types)
        .enumerate()
        .map(|(column, (array, sql_type))| {
            let found = || JsonError::ColumnType { column, expected: *sql_type, found: array.data_type().clone() };
            if *array.data_type() == sql_type.arrow() {
                Cells::new(array, *sql_type).ok_or_else(found)
            } else {
                Err(found())
            }
        })
        .collect::<Result<Vec<_>, _>>()?;

    out.reserve(2 + (to - from) * (2 + 8 * cells.len()));
    out.push(b'[');
    for row in from..to {
        out.extend_from_slice(if row == from { b"[" } else { b",[" });
        for (index, cells) in cells.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            cells.write(row, out);
        }
        out.push(b']');
    }
    out.push(b']');
    Ok(())
}

/// A column by the form of its cells.
enum Cells<'a> {
    Boolean(&'a BooleanArray),
    Int8(&'a PrimitiveArray<Int8Type>),
    Int16(&'a PrimitiveArray<Int16Type>),
    Int32(&'a PrimitiveArray<Int32Type>),
    Int64(&'a PrimitiveArray<Int64Type>),
    UInt8(&'a PrimitiveArray<UInt8Type>),
    UInt16(&'a PrimitiveArray<UInt16Type>),
    UInt32(&'a PrimitiveArray<UInt32Type>),
    UInt64(&'a PrimitiveArray<UInt64Type>),
    Float32(&'a PrimitiveArray<Float32Type>),
    Float64(&'a PrimitiveArray<Float64Type>),
    Decimal(&'a PrimitiveArray<Decimal128Type>, u8),
    Text(&'a StringViewArray),
    Bytes(&'a BinaryArray),
    Date(&'a PrimitiveArray<Date32Type>),
    Time(&'a PrimitiveArray<Time64MicrosecondType>),
    Timestamp(&'a PrimitiveArray<TimestampMicrosecondType>),
    Interval(&'a PrimitiveArray<IntervalMonthDayNanoType>),
    Embedding(&'a FixedSizeListArray, &'a PrimitiveArray<Float32Type>),
    Array(&'a ListArray, Box<Cells<'a>>),
}

impl<'a> Cells<'a> {
    fn new(array: &'a ArrayRef, sql_type: SqlType) -> Option<Self> {
        Some(match sql_type {
            SqlType::Boolean => Self::Boolean(array.as_boolean_opt()?),
            SqlType::TinyInt => Self::Int8(array.as_primitive_opt()?),
            SqlType::SmallInt => Self::Int16(array.as_primitive_opt()?),
            SqlType::Integer => Self::Int32(array.as_primitive_opt()?),
            SqlType::BigInt => Self::Int64(array.as_primitive_opt()?),
            SqlType::TinyIntUnsigned => Self::UInt8(array.as_primitive_opt()?),
            SqlType::SmallIntUnsigned => Self::UInt16(array.as_primitive_opt()?),
            SqlType::IntegerUnsigned => Self::UInt32(array.as_primitive_opt()?),
            SqlType::BigIntUnsigned => Self::UInt64(array.as_primitive_opt()?),
            SqlType::Real => Self::Float32(array.as_primitive_opt()?),
            SqlType::Double => Self::Float64(array.as_primitive_opt()?),
            SqlType::Decimal(_, scale) => Self::Decimal(array.as_primitive_opt()?, scale),
            SqlType::Text | SqlType::Varchar(_) | SqlType::Uuid | SqlType::Json => {
                Self::Text(array.as_string_view_opt()?)
            }
            SqlType::Bytea => Self::Bytes(array.as_binary_opt()?),
            SqlType::Date => Self::Date(array.as_primitive_opt()?),
            SqlType::Time => Self::Time(array.as_primitive_opt()?),
            SqlType::Timestamp | SqlType::TimestampTz => Self::Timestamp(array.as_primitive_opt()?),
            SqlType::Interval => Self::Interval(array.as_primitive_opt()?),
            SqlType::Embedding(_) => {
                let vectors = array.as_fixed_size_list_opt()?;
                Self::Embedding(vectors, vectors.values().as_primitive_opt()?)
            }
            SqlType::Array(of) => {
                let lists = array.as_list_opt()?;
                Self::Array(lists, Box::new(Self::new(lists.values(), of.element())?))
            }
        })
    }

    fn write(&self, row: usize, out: &mut Vec<u8>) {
        match self {
            Self::Boolean(array) if array.is_valid(row) => {
                out.extend_from_slice(if array.value(row) { b"true" } else { b"false" });
            }
            Self::Boolean(_) => out.extend_from_slice(b"null"),
            Self::Int8(array) => write_primitive(array, row, out, write_integer),
            Self::Int16(array) => write_primitive(array, row, out, write_integer),
            Self::Int32(array) => write_primitive(array, row, out, write_integer),
            Self::Int64(array) => write_primitive(array, row, out, write_integer),
            Self::UInt8(array) => write_primitive(array, row, out, write_integer),
            Self::UInt16(array) => write_primitive(array, row, out, write_integer),
            Self::UInt32(array) => write_primitive(array, row, out, write_integer),
            Self::UInt64(array) => write_primitive(array, row, out, write_integer),
            Self::Date(array) => write_primitive(array, row, out, write_integer),
            Self::Time(array) => write_primitive(array, row, out, write_integer),
            Self::Timestamp(array) => write_primitive(array, row, out, write_integer),
            Self::Float32(array) => {
                write_primitive(array, row, out, |value, out| write_float(value, value.into(), out))
            }
            Self::Float64(array) => write_primitive(array, row, out, |value, out| write_float(value, value, out)),
            Self::Decimal(array, scale) => {
                write_primitive(array, row, out, |value, out| write_decimal(value, *scale, out))
            }
            Self::Text(array) if array.is_valid(row) => write_string(array.value(row), out),
            Self::Bytes(array) if array.is_valid(row) => write_base64(array.value(row), out),
            Self::Interval(array) if array.is_valid(row) => {
                let interval = array.value(row);
                out.push(b'[');
                write_integer(interval.months, out);
                out.push(b',');
                write_integer(interval.days, out);
                out.push(b',');
                write_integer(interval.nanoseconds, out);
                out.push(b']');
            }
            Self::Embedding(array, numbers) if array.is_valid(row) => {
                let start = usize::try_from(array.value_offset(row)).unwrap_or(0);
                let length = usize::try_from(array.value_length()).unwrap_or(0);
                write_list(start..start + length, out, |at, out| {
                    write_primitive(numbers, at, out, |value, out| write_float(value, value.into(), out))
                });
            }
            Self::Array(array, items) if array.is_valid(row) => {
                let start = array.value_offsets().get(row).and_then(|start| usize::try_from(*start).ok()).unwrap_or(0);
                let length = usize::try_from(array.value_length(row)).unwrap_or(0);
                write_list(start..start + length, out, |at, out| items.write(at, out));
            }
            Self::Text(_) | Self::Bytes(_) | Self::Interval(_) | Self::Embedding(..) | Self::Array(..) => {
                out.extend_from_slice(b"null")
            }
        }
    }
}

fn write_primitive<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    row: usize,
    out: &mut Vec<u8>,
    write: impl FnOnce(T::Native, &mut Vec<u8>),
) {
    if array.is_valid(row) {
        write(array.value(row), out);
    } else {
        out.extend_from_slice(b"null");
    }
}

fn write_list(items: std::ops::Range<usize>, out: &mut Vec<u8>, write: impl Fn(usize, &mut Vec<u8>)) {
    out.push(b'[');
    for at in items.clone() {
        if at > items.start {
            out.push(b',');
        }
        write(at, out);
    }
    out.push(b']');
}

fn write_integer(value: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// `wide` is `value`, to be looked at.
fn write_float(value: impl ryu::Float, wide: f64, out: &mut Vec<u8>) {
    if wide.is_finite() {
        out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes());
    } else if wide.is_nan() {
        out.extend_from_slice(b"\"NaN\"");
    } else {
        out.extend_from_slice(if wide > 0.0 { b"\"Infinity\"".as_slice() } else { b"\"-Infinity\"" });
    }
}

fn write_decimal(value: i128, scale: u8, out: &mut Vec<u8>) {
    let mut digits = String::new();
    text::write_decimal(&mut digits, value, scale.cast_signed());
    out.push(b'"');
    out.extend_from_slice(digits.as_bytes());
    out.push(b'"');
}

fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    let mut encoded = String::new();
    STANDARD.encode_string(bytes, &mut encoded);
    out.push(b'"');
    out.extend_from_slice(encoded.as_bytes());
    out.push(b'"');
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    // Runs of bytes that stand for themselves are copied whole.
    while let Some((run, [byte, after @ ..])) =
        rest.iter().position(needs_escape).and_then(|at| rest.split_at_checked(at))
    {
        out.extend_from_slice(run);
        write_escape(*byte, out);
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn needs_escape(byte: &u8) -> bool {
    *byte < b' ' || *byte == b'"' || *byte == b'\\'
}

fn write_escape(byte: u8, out: &mut Vec<u8>) {
    let letter = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        _ => {
            let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
            return out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}
