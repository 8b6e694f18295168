use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, FixedSizeListArray, ListArray, PrimitiveArray, StringArray, StringViewArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType, Time64MicrosecondType, TimestampMicrosecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::bytes::Reader;
use super::floats::{read_doubles, restored};
use super::integers::read_integers;
use super::{PageError, PageResult};
use crate::SqlType;

/// The most values of all the lists of a page: equal lengths take no bytes, so that the page's own length bounds
/// nothing. A value takes two bytes or more of a commit, which has at most 256 MiB.
const MAX_LIST_VALUES: usize = 1 << 27;

/// Turns a page back into the column that it was made from.
///
/// # Errors
/// If the bytes are not a page of `n_rows` values of that type.
pub fn decode_page(bytes: &[u8], sql_type: &SqlType, n_rows: usize) -> Result<ArrayRef, PageError> {
    let mut reader = Reader::new(bytes);
    let column = read_column(&mut reader, sql_type, n_rows)?;
    if reader.is_empty() { Ok(column) } else { Err(PageError::new("the page goes on after its last value")) }
}

fn read_column(reader: &mut Reader<'_>, sql_type: &SqlType, n_rows: usize) -> PageResult<ArrayRef> {
    let nulls = match reader.byte()? {
        0 => None,
        1 => Some(NullBuffer::new(read_bits(reader, n_rows)?)),
        flags => return Err(PageError::new(format!("a column begins with {flags}"))),
    };
    match sql_type {
        SqlType::Boolean => Ok(Arc::new(BooleanArray::new(read_bits(reader, n_rows)?, nulls))),
        SqlType::TinyInt => integers::<Int8Type>(reader, sql_type, n_rows, nulls, |value| i8::try_from(value).ok()),
        SqlType::SmallInt => integers::<Int16Type>(reader, sql_type, n_rows, nulls, |value| i16::try_from(value).ok()),
        SqlType::Integer => integers::<Int32Type>(reader, sql_type, n_rows, nulls, |value| i32::try_from(value).ok()),
        SqlType::BigInt => integers::<Int64Type>(reader, sql_type, n_rows, nulls, Some),
        SqlType::TinyIntUnsigned => {
            integers::<UInt8Type>(reader, sql_type, n_rows, nulls, |value| u8::try_from(value).ok())
        }
        SqlType::SmallIntUnsigned => {
            integers::<UInt16Type>(reader, sql_type, n_rows, nulls, |value| u16::try_from(value).ok())
        }
        SqlType::IntegerUnsigned => {
            integers::<UInt32Type>(reader, sql_type, n_rows, nulls, |value| u32::try_from(value).ok())
        }
        SqlType::BigIntUnsigned => {
            integers::<UInt64Type>(reader, sql_type, n_rows, nulls, |value| Some(value.cast_unsigned()))
        }
        SqlType::Date => integers::<Date32Type>(reader, sql_type, n_rows, nulls, |value| i32::try_from(value).ok()),
        SqlType::Time => integers::<Time64MicrosecondType>(reader, sql_type, n_rows, nulls, Some),
        SqlType::Timestamp | SqlType::TimestampTz => {
            integers::<TimestampMicrosecondType>(reader, sql_type, n_rows, nulls, Some)
        }
        SqlType::Double => primitive::<Float64Type>(read_doubles(reader, n_rows)?, sql_type, nulls),
        SqlType::Real => primitive::<Float32Type>(
            raw::<4>(reader, n_rows)?.into_iter().map(f32::from_le_bytes).collect(),
            sql_type,
            nulls,
        ),
        SqlType::Decimal(..) => primitive::<Decimal128Type>(
            raw::<16>(reader, n_rows)?.into_iter().map(i128::from_le_bytes).collect(),
            sql_type,
            nulls,
        ),
        SqlType::Interval => {
            let interval = |bytes: [u8; 16]| {
                let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = bytes;
                let nanoseconds = i64::from_le_bytes([i, j, k, l, m, n, o, p]);
                IntervalMonthDayNano::new(
                    i32::from_le_bytes([a, b, c, d]),
                    i32::from_le_bytes([e, f, g, h]),
                    nanoseconds,
                )
            };
            primitive::<IntervalMonthDayNanoType>(
                raw::<16>(reader, n_rows)?.into_iter().map(interval).collect(),
                sql_type,
                nulls,
            )
        }
        SqlType::Text | SqlType::Varchar(_) | SqlType::Uuid | SqlType::Json => {
            let (offsets, values) = contents(reader, n_rows)?;
            let texts =
                StringArray::try_new(offsets, values, nulls).map_err(|error| PageError::new(error.to_string()))?;
            Ok(Arc::new(StringViewArray::from(&texts)))
        }
        SqlType::Bytea => {
            let (offsets, values) = contents(reader, n_rows)?;
            Ok(Arc::new(
                BinaryArray::try_new(offsets, values, nulls).map_err(|error| PageError::new(error.to_string()))?,
            ))
        }
        SqlType::Embedding(length) => {
            let n_values =
                n_rows.checked_mul(*length as usize).ok_or_else(|| PageError::new("there are too many values"))?;
            let values = read_column(reader, &SqlType::Real, n_values)?;
            let DataType::FixedSizeList(field, size) = sql_type.arrow() else {
                return Err(PageError::new("an embedding is not a list"));
            };
            Ok(Arc::new(
                FixedSizeListArray::try_new(field, size, values, nulls)
                    .map_err(|error| PageError::new(error.to_string()))?,
            ))
        }
        SqlType::Array(of) => {
            let (offsets, n_values) = offsets(&read_integers(reader, n_rows)?)?;
            if n_values > MAX_LIST_VALUES {
                return Err(PageError::new("there are too many values"));
            }
            let values = read_column(reader, &of.element(), n_values)?;
            let DataType::List(field) = sql_type.arrow() else { return Err(PageError::new("an array is not a list")) };
            Ok(Arc::new(
                ListArray::try_new(field, offsets, values, nulls).map_err(|error| PageError::new(error.to_string()))?,
            ))
        }
    }
}

fn read_bits(reader: &mut Reader<'_>, n_rows: usize) -> PageResult<BooleanBuffer> {
    Ok(BooleanBuffer::new(Buffer::from_vec(reader.run(n_rows.div_ceil(8))?), 0, n_rows))
}

fn raw<const N: usize>(reader: &mut Reader<'_>, n_rows: usize) -> PageResult<Vec<[u8; N]>> {
    let length = n_rows.checked_mul(N).ok_or_else(|| PageError::new("there are too many values"))?;
    Ok(restored::<N>(&reader.run(length)?, n_rows))
}

fn integers<T: ArrowPrimitiveType>(
    reader: &mut Reader<'_>,
    sql_type: &SqlType,
    n_rows: usize,
    nulls: Option<NullBuffer>,
    narrow: impl Fn(i64) -> Option<T::Native>,
) -> PageResult<ArrayRef> {
    let values: Option<Vec<T::Native>> = read_integers(reader, n_rows)?.into_iter().map(narrow).collect();
    primitive::<T>(values.ok_or_else(|| PageError::new(format!("a value is outside of {sql_type}")))?, sql_type, nulls)
}

fn primitive<T: ArrowPrimitiveType>(
    values: Vec<T::Native>,
    sql_type: &SqlType,
    nulls: Option<NullBuffer>,
) -> PageResult<ArrayRef> {
    let array = PrimitiveArray::<T>::try_new(ScalarBuffer::from(values), nulls)
        .map_err(|error| PageError::new(error.to_string()))?;
    Ok(Arc::new(array.with_data_type(sql_type.arrow())))
}

fn contents(reader: &mut Reader<'_>, n_rows: usize) -> PageResult<(OffsetBuffer<i32>, Buffer)> {
    let (offsets, length) = offsets(&read_integers(reader, n_rows)?)?;
    Ok((offsets, Buffer::from_vec(reader.run(length)?)))
}

/// Where each of some lengths begins, and the sum of all.
fn offsets(lengths: &[i64]) -> PageResult<(OffsetBuffer<i32>, usize)> {
    let too_long = || PageError::new("the values of a column are too long");
    let mut offsets = Vec::with_capacity(lengths.len() + 1);
    let mut end = 0_i32;
    offsets.push(end);
    for length in lengths {
        let length = i32::try_from(*length).ok().filter(|length| *length >= 0).ok_or_else(too_long)?;
        end = end.checked_add(length).ok_or_else(too_long)?;
        offsets.push(end);
    }
    Ok((OffsetBuffer::new(ScalarBuffer::from(offsets)), usize::try_from(end).map_err(|_| too_long())?))
}
