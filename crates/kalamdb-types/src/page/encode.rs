use arrow::array::{Array, ArrayRef, AsArray, GenericByteArray, PrimitiveArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{
    ArrowPrimitiveType, BinaryType, ByteArrayType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, IntervalMonthDayNanoType, Time64MicrosecondType, TimestampMicrosecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::bytes::write_run;
use super::floats::{transposed, write_doubles};
use super::integers::write_integers;
use super::{PageError, PageResult};
use crate::SqlType;

/// Turns a column into a page.
///
/// # Errors
/// If the array is not of the column's Arrow type, or is longer than a page can be.
pub fn encode_page(array: &ArrayRef, sql_type: &SqlType) -> Result<Vec<u8>, PageError> {
    let mut out = Vec::new();
    write_column(array, sql_type, &mut out)?;
    Ok(out)
}

fn write_column(array: &ArrayRef, sql_type: &SqlType, out: &mut Vec<u8>) -> PageResult<()> {
    if *array.data_type() != sql_type.arrow() {
        return Err(PageError::new(format!("a column of type {sql_type} is {}", array.data_type())));
    }
    match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        Some(nulls) => {
            out.push(1);
            write_run(&bits(nulls.inner()), out)?;
        }
        None => out.push(0),
    }
    match sql_type {
        SqlType::Boolean => write_run(&bits(array.as_boolean().values()), out),
        SqlType::TinyInt => integers::<Int8Type>(array, i64::from, out),
        SqlType::SmallInt => integers::<Int16Type>(array, i64::from, out),
        SqlType::Integer => integers::<Int32Type>(array, i64::from, out),
        SqlType::BigInt => integers::<Int64Type>(array, |value| value, out),
        SqlType::TinyIntUnsigned => integers::<UInt8Type>(array, i64::from, out),
        SqlType::SmallIntUnsigned => integers::<UInt16Type>(array, i64::from, out),
        SqlType::IntegerUnsigned => integers::<UInt32Type>(array, i64::from, out),
        SqlType::BigIntUnsigned => integers::<UInt64Type>(array, u64::cast_signed, out),
        SqlType::Date => integers::<Date32Type>(array, i64::from, out),
        SqlType::Time => integers::<Time64MicrosecondType>(array, |value| value, out),
        SqlType::Timestamp | SqlType::TimestampTz => integers::<TimestampMicrosecondType>(array, |value| value, out),
        SqlType::Double => write_doubles(array.as_primitive::<Float64Type>().values(), out),
        SqlType::Real => raw::<Float32Type, 4>(array, f32::to_le_bytes, out),
        SqlType::Decimal(..) => raw::<Decimal128Type, 16>(array, i128::to_le_bytes, out),
        SqlType::Interval => raw::<IntervalMonthDayNanoType, 16>(
            array,
            |value| {
                let mut bytes = [0; 16];
                let parts = value
                    .months
                    .to_le_bytes()
                    .into_iter()
                    .chain(value.days.to_le_bytes())
                    .chain(value.nanoseconds.to_le_bytes());
                bytes.iter_mut().zip(parts).for_each(|(byte, part)| *byte = part);
                bytes
            },
            out,
        ),
        SqlType::Text | SqlType::Varchar(_) | SqlType::Uuid | SqlType::Json => {
            let texts = array.as_string_view();
            // NULL has no bytes, whatever lies under it.
            let texts = || (0..texts.len()).map(|row| if texts.is_null(row) { "" } else { texts.value(row) });
            contents(texts().map(str::as_bytes), out)
        }
        SqlType::Bytea => {
            let values: &GenericByteArray<BinaryType> = array.as_bytes::<BinaryType>();
            let values =
                || (0..values.len()).map(|row| if values.is_null(row) { &[][..] } else { byte_value(values, row) });
            contents(values(), out)
        }
        SqlType::Embedding(length) => {
            let lists = array.as_fixed_size_list();
            let length = *length as usize;
            write_column(
                &sliced(lists.values(), lists.value_offset(0) as usize, lists.len() * length)?,
                &SqlType::Real,
                out,
            )
        }
        SqlType::Array(of) => {
            let lists = array.as_list::<i32>();
            let offsets = lists.value_offsets();
            let lengths: Vec<i64> = offsets
                .iter()
                .zip(offsets.iter().skip(1))
                .map(|(from, to)| i64::from(*to) - i64::from(*from))
                .collect();
            write_integers(&lengths, out)?;
            let (from, to) =
                (offsets.first().copied().unwrap_or_default(), offsets.last().copied().unwrap_or_default());
            write_column(&sliced(lists.values(), from as usize, (to - from) as usize)?, &of.element(), out)
        }
    }
}

fn byte_value<T: ByteArrayType>(values: &GenericByteArray<T>, row: usize) -> &T::Native {
    values.value(row)
}

fn sliced(values: &ArrayRef, from: usize, length: usize) -> PageResult<ArrayRef> {
    if from + length > values.len() {
        return Err(PageError::new("lists are longer than their values"));
    }
    Ok(values.slice(from, length))
}

/// The bits from the first on, whatever the offset in their buffer.
fn bits(bits: &BooleanBuffer) -> Vec<u8> {
    let mut packed = bits.sliced().as_slice().to_vec();
    packed.truncate(bits.len().div_ceil(8));
    // What lies behind the last bit would differ from one to the other.
    if let (Some(last), used @ 1..) = (packed.last_mut(), bits.len() % 8) {
        *last &= (1 << used) - 1;
    }
    packed
}

fn integers<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    widen: impl Fn(T::Native) -> i64,
    out: &mut Vec<u8>,
) -> PageResult<()> {
    let array: &PrimitiveArray<T> = array.as_primitive::<T>();
    let values: Vec<i64> = array.values().iter().map(|value| widen(*value)).collect();
    write_integers(&values, out)
}

fn raw<T: ArrowPrimitiveType, const N: usize>(
    array: &ArrayRef,
    bytes: impl Fn(T::Native) -> [u8; N],
    out: &mut Vec<u8>,
) -> PageResult<()> {
    let array: &PrimitiveArray<T> = array.as_primitive::<T>();
    let values: Vec<[u8; N]> = array.values().iter().map(|value| bytes(*value)).collect();
    write_run(&transposed(&values), out)
}

fn contents<'a>(values: impl Iterator<Item = &'a [u8]> + Clone, out: &mut Vec<u8>) -> PageResult<()> {
    let lengths: Vec<i64> = values.clone().map(|value| value.len() as i64).collect();
    write_integers(&lengths, out)?;
    let total: i64 = lengths.iter().sum();
    let mut bytes = Vec::with_capacity(usize::try_from(total).unwrap_or_default());
    values.for_each(|value| bytes.extend_from_slice(value));
    write_run(&bytes, out)
}
