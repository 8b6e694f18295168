use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
        StringViewArray, Time64MicrosecondArray, TimestampMicrosecondArray, UInt64Array, types::*,
    },
    compute::cast,
    datatypes::{DataType, TimeUnit},
};

use super::{Fault, map};
use crate::error::Failure;

/// An array's values in the widest type of their kind, so that each target handles each kind once.
pub(super) enum Plain {
    Boolean(BooleanArray),
    Int(Int64Array),
    UInt64(UInt64Array),
    /// Floats, and whether they were of 32 bits or fewer.
    Float(Float64Array, bool),
    /// Unscaled decimals and their scale.
    Decimal(Decimal128Array, i8),
    Text(StringViewArray),
    Bytes(BinaryArray),
    Date(Date32Array),
    Time(Time64MicrosecondArray),
    /// Microseconds since the epoch; a zone does not change them.
    Timestamp(TimestampMicrosecondArray),
    /// Intervals, lists, structs: nothing but text can be made of them.
    Other,
}

impl Plain {
    pub(super) fn of(array: &ArrayRef) -> Result<Self, Fault> {
        Ok(match array.data_type() {
            DataType::Boolean => Self::Boolean(array.as_boolean().clone()),
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32 => Self::Int(cast_to(array, DataType::Int64)?.as_primitive().clone()),
            DataType::UInt64 => Self::UInt64(array.as_primitive().clone()),
            DataType::Float16 | DataType::Float32 | DataType::Float64 => {
                let is_single = *array.data_type() != DataType::Float64;
                Self::Float(cast_to(array, DataType::Float64)?.as_primitive().clone(), is_single)
            }
            DataType::Decimal32(_, scale) => {
                Self::Decimal(map(array.as_primitive::<Decimal32Type>(), |v| Ok(v.into()))?, *scale)
            }
            DataType::Decimal64(_, scale) => {
                Self::Decimal(map(array.as_primitive::<Decimal64Type>(), |v| Ok(v.into()))?, *scale)
            }
            DataType::Decimal128(_, scale) => Self::Decimal(array.as_primitive().clone(), *scale),
            DataType::Decimal256(_, scale) => {
                let narrow = |value: arrow::datatypes::i256| value.to_i128().ok_or(Failure::Range);
                Self::Decimal(map(array.as_primitive::<Decimal256Type>(), narrow)?, *scale)
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                Self::Text(texts(array).ok_or(Fault::whole(Failure::Type))?)
            }
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
                Self::Bytes(cast_to(array, DataType::Binary)?.as_binary().clone())
            }
            DataType::Date32 => Self::Date(array.as_primitive().clone()),
            DataType::Date64 => {
                let days = |ms: i64| i32::try_from(ms.div_euclid(86_400_000)).map_err(|_| Failure::DatetimeRange);
                Self::Date(map(array.as_primitive::<Date64Type>(), days)?)
            }
            DataType::Time32(_) | DataType::Time64(_) => {
                Self::Time(cast_to(array, DataType::Time64(TimeUnit::Microsecond))?.as_primitive().clone())
            }
            DataType::Timestamp(unit, _) => Self::Timestamp(timestamps(array, *unit)?),
            DataType::Null
            | DataType::Duration(_)
            | DataType::Interval(_)
            | DataType::List(_)
            | DataType::ListView(_)
            | DataType::FixedSizeList(..)
            | DataType::LargeList(_)
            | DataType::LargeListView(_)
            | DataType::Struct(_)
            | DataType::Union(..)
            | DataType::Dictionary(..)
            | DataType::Map(..)
            | DataType::RunEndEncoded(..) => Self::Other,
        })
    }
}

/// The values behind dictionaries and runs, one a row; other arrays as they are.
pub(super) fn unpack(array: &ArrayRef) -> Option<ArrayRef> {
    let mut array = Arc::clone(array);
    loop {
        array = match array.data_type() {
            DataType::Dictionary(_, values) => cast(&array, values).ok()?,
            DataType::RunEndEncoded(_, values) => cast(&array, values.data_type()).ok()?,
            _ => return Some(array),
        };
    }
}

/// An array of any string type as views, its characters shared. `None` for other types.
pub(super) fn texts(array: &ArrayRef) -> Option<StringViewArray> {
    match array.data_type() {
        DataType::Utf8 => Some(StringViewArray::from(array.as_string::<i32>())),
        DataType::LargeUtf8 => Some(StringViewArray::from(array.as_string::<i64>())),
        DataType::Utf8View => Some(array.as_string_view().clone()),
        _ => None,
    }
}

/// A cast to a wider type of the same kind.
fn cast_to(array: &ArrayRef, data_type: DataType) -> Result<ArrayRef, Fault> {
    cast(array, &data_type).map_err(|_| Fault::whole(Failure::Type))
}

fn timestamps(array: &ArrayRef, unit: TimeUnit) -> Result<TimestampMicrosecondArray, Fault> {
    let times = |factor: i64| move |value: i64| value.checked_mul(factor).ok_or(Failure::DatetimeRange);
    match unit {
        TimeUnit::Second => map(array.as_primitive::<TimestampSecondType>(), times(1_000_000)),
        TimeUnit::Millisecond => map(array.as_primitive::<TimestampMillisecondType>(), times(1_000)),
        TimeUnit::Microsecond => Ok(array.as_primitive::<TimestampMicrosecondType>().clone()),
        TimeUnit::Nanosecond => {
            map(array.as_primitive::<TimestampNanosecondType>(), |nanos| Ok(nanos.div_euclid(1_000)))
        }
    }
}
