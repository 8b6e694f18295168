use std::sync::Arc;

use arrow::{
    array::{ArrayRef, ArrowNativeTypeOp, AsArray, Decimal128Array, PrimitiveArray, types::*},
    datatypes::ArrowPrimitiveType,
};

use super::{Converted, Fault, Source, map, number, parse, plain::Plain, text};
use crate::{SqlType, error::Failure};

/// The values with one NaN in the place of all: arithmetic makes NaNs of either sign, which do not sort alike.
pub(super) fn with_one_nan<T: ArrowPrimitiveType>(array: &ArrayRef, nan: T::Native) -> ArrayRef {
    let Some(floats) = array.as_primitive_opt::<T>() else { return Arc::clone(array) };
    let is_nan = |value: &T::Native| value.partial_cmp(value).is_none();
    // Equal here are those of the same bits.
    if !floats.values().iter().any(|value| is_nan(value) && !value.is_eq(nan)) {
        return Arc::clone(array);
    }
    let one: PrimitiveArray<T> = floats.unary(|value| if is_nan(&value) { nan } else { value });
    Arc::new(one)
}

pub(super) fn to_double(plain: Plain) -> Converted {
    to_float::<Float64Type>(plain, |value| value as f64, Ok, exact_quotient, number::parse_f64)
}

pub(super) fn to_real(plain: Plain) -> Converted {
    to_float::<Float32Type>(plain, |value| value as f32, narrow, |_, _| None, number::parse_f32)
}

fn to_float<T: ArrowPrimitiveType>(
    plain: Plain,
    from_integer: impl Fn(i128) -> T::Native,
    from_f64: impl Fn(f64) -> Result<T::Native, Failure>,
    from_decimal: impl Fn(i128, i8) -> Option<T::Native>,
    from_text: impl Fn(&str) -> Result<T::Native, Failure>,
) -> Converted {
    let converted: PrimitiveArray<T> = match plain {
        Plain::Int(array) => map(&array, |value| Ok(from_integer(value.into())))?,
        Plain::UInt64(array) => map(&array, |value| Ok(from_integer(value.into())))?,
        Plain::Float(array, _) => map(&array, from_f64)?,
        // By way of the text where dividing the unscaled value would round twice.
        Plain::Decimal(array, scale) => map(&array, |value| {
            if let Some(value) = from_decimal(value, scale) {
                return Ok(value);
            }
            let mut digits = String::new();
            text::write_decimal(&mut digits, value, scale);
            from_text(&digits)
        })?,
        Plain::Text(texts) => parse(&texts, from_text)?,
        Plain::Boolean(_) | Plain::Bytes(_) | Plain::Date(_) | Plain::Time(_) | Plain::Timestamp(_) | Plain::Other => {
            return Err(Fault::whole(Failure::Type));
        }
    };
    Ok(Arc::new(converted))
}

/// A decimal as a quotient of two numbers that are exact as floats, so that it is rounded once.
fn exact_quotient(value: i128, scale: i8) -> Option<f64> {
    const MAX_EXACT: u128 = 1 << f64::MANTISSA_DIGITS;
    let is_exact = value.unsigned_abs() <= MAX_EXACT && (0..=22).contains(&scale);
    is_exact.then(|| value as f64 / 10_f64.powi(scale.into()))
}

/// Rounds to 32 bits; what would become infinite or 0 without being so is out of range, as in PostgreSQL.
fn narrow(value: f64) -> Result<f32, Failure> {
    let narrowed = value as f32;
    let overflows = narrowed.is_infinite() && value.is_finite();
    let underflows = narrowed == 0.0 && value != 0.0;
    if overflows || underflows { Err(Failure::Range) } else { Ok(narrowed) }
}

pub(super) fn to_decimal(plain: Plain, precision: u8, scale: u8, source: Source) -> Converted {
    let excess = source.excess();
    let from_text = |text: &str| number::parse_decimal(text, precision, scale, excess);
    let rescale = |value: i128, from: i8| number::rescale(value, from, precision, scale, excess);
    let converted: Decimal128Array = match plain {
        Plain::Int(array) => map(&array, |value| rescale(value.into(), 0))?,
        Plain::UInt64(array) => map(&array, |value| rescale(value.into(), 0))?,
        // The shortest digits that mean this float: 0.1 is 0.1 and not 0.1000000000000000055.
        Plain::Float(array, true) => map(&array, |value| from_text(ryu::Buffer::new().format(value as f32)))?,
        Plain::Float(array, false) => map(&array, |value| from_text(ryu::Buffer::new().format(value)))?,
        Plain::Decimal(array, from) => map(&array, |value| rescale(value, from))?,
        Plain::Text(texts) => parse(&texts, from_text)?,
        Plain::Boolean(_) | Plain::Bytes(_) | Plain::Date(_) | Plain::Time(_) | Plain::Timestamp(_) | Plain::Other => {
            return Err(Fault::whole(Failure::Type));
        }
    };
    Ok(Arc::new(converted.with_data_type(SqlType::Decimal(precision, scale).arrow())))
}

/// Decimals of the right type whose values may still have too many digits: Arrow's arithmetic does not check them.
pub(super) fn check_decimal(array: &ArrayRef, precision: u8) -> Converted {
    map::<_, Decimal128Type>(array.as_primitive::<Decimal128Type>(), |value| number::fit(value, precision))
        .map(|_| Arc::clone(array))
}
