use std::sync::Arc;

use arrow::{
    array::{Array, PrimitiveArray, types::*},
    datatypes::ArrowPrimitiveType,
};

use super::{Converted, Fault, Source, map, number, parse, plain::Plain};
use crate::error::Failure;

/// An integer type of Arrow, with what is needed to convert to it exactly.
pub(super) trait Integer: ArrowPrimitiveType {
    /// The least value; exact as a float.
    const MIN: f64;
    /// The value after the greatest; exact as a float, which the greatest itself may not be.
    const END: f64;

    /// `value` must be an integer in `MIN..END`.
    fn from_float(value: f64) -> Self::Native;

    fn from_wide(value: i128) -> Option<Self::Native>;
}

macro_rules! integer {
    ($($arrow:ident = $native:ident),*) => {$(
        impl Integer for $arrow {
            const MIN: f64 = $native::MIN as f64;
            const END: f64 = $native::MAX as f64 + 1.0;

            fn from_float(value: f64) -> $native {
                value as $native
            }

            fn from_wide(value: i128) -> Option<$native> {
                $native::try_from(value).ok()
            }
        }
    )*};
}

integer!(
    Int8Type = i8,
    Int16Type = i16,
    Int32Type = i32,
    Int64Type = i64,
    UInt8Type = u8,
    UInt16Type = u16,
    UInt32Type = u32,
    UInt64Type = u64
);

pub(super) fn convert<T: Integer>(plain: Plain, source: Source) -> Converted {
    let narrow = |value: i128| T::from_wide(value).ok_or(Failure::Range);
    let converted: PrimitiveArray<T> = match plain {
        // Same width: nothing can be out of range, and nothing needs copying.
        Plain::Int(array) if *array.data_type() == T::DATA_TYPE => return Ok(Arc::new(array)),
        Plain::Int(array) => map(&array, |value| narrow(value.into()))?,
        Plain::UInt64(array) => map(&array, |value| narrow(value.into()))?,
        Plain::Float(array, _) => match source {
            Source::Sql => map(&array, |value| from_float::<T>(value.round_ties_even()))?,
            Source::Value => map(&array, |value| {
                if value.trunc() == value || value.is_nan() { from_float::<T>(value) } else { Err(Failure::Fraction) }
            })?,
        },
        Plain::Decimal(array, scale) => {
            map(&array, |value| narrow(number::decimal_to_integer(value, scale, source.excess())?))?
        }
        Plain::Text(texts) => parse(&texts, |text| narrow(number::parse_integer(text)?))?,
        Plain::Boolean(_) | Plain::Bytes(_) | Plain::Date(_) | Plain::Time(_) | Plain::Timestamp(_) | Plain::Other => {
            return Err(Fault::whole(Failure::Type));
        }
    };
    Ok(Arc::new(converted))
}

/// NaN and the infinities compare as out of range.
fn from_float<T: Integer>(value: f64) -> Result<T::Native, Failure> {
    if value >= T::MIN && value < T::END { Ok(T::from_float(value)) } else { Err(Failure::Range) }
}
