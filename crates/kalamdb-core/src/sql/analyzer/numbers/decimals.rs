//! What decimals hold: the digits of types and literals, and the types that have room for them.

use datafusion::arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Decimal128Type, DecimalType,
};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::type_coercion::binary::comparison_coercion;
use kalamdb_types::exact_decimal;

/// The digits before the point, and behind it, that values of an exact type may have.
fn digits_of(data_type: &DataType) -> Option<(u8, u8)> {
    Some(match data_type {
        DataType::Int8 | DataType::UInt8 => (3, 0),
        DataType::Int16 | DataType::UInt16 => (5, 0),
        DataType::Int32 | DataType::UInt32 => (10, 0),
        DataType::Int64 => (19, 0),
        DataType::UInt64 => (20, 0),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => {
            let scale = u8::try_from(*scale).ok()?;
            (precision.saturating_sub(scale), scale)
        }
        _ => return None,
    })
}

/// The narrowest decimal that holds all values of some exact types. NULL has none.
pub(super) fn common_type(types: &[DataType]) -> Option<DataType> {
    let (mut before, mut scale) = (0, 0);
    for data_type in types.iter().filter(|data_type| **data_type != DataType::Null) {
        let digits = digits_of(data_type)?;
        (before, scale) = (digits.0.max(before), digits.1.max(scale));
    }
    let precision = before.saturating_add(scale).max(1);
    let signed = i8::try_from(scale).ok()?;
    Some(if precision <= DECIMAL128_MAX_PRECISION {
        DataType::Decimal128(precision, signed)
    } else {
        DataType::Decimal256(precision.min(DECIMAL256_MAX_PRECISION), signed)
    })
}

/// The type in which two values are compared: a decimal beside a float is a float, beside an exact number it keeps all
/// digits.
pub(crate) fn comparison_type(left: &DataType, right: &DataType) -> Option<DataType> {
    if !left.is_decimal() && !right.is_decimal() {
        return comparison_coercion(left, right);
    }
    if left.is_floating() || right.is_floating() {
        return Some(DataType::Float64);
    }
    common_type(&[left.clone(), right.clone()]).or_else(|| comparison_coercion(left, right))
}

/// A number as the decimal of just its digits.
pub(super) fn literal_of(value: &ScalarValue) -> Option<Expr> {
    let (value, precision, scale) = match value {
        // A text already: the number as it is written.
        ScalarValue::Utf8(Some(text)) => exact_decimal(text)?,
        ScalarValue::Float64(Some(value)) => exact_decimal(&value.to_string())?,
        value => {
            let integer = integer_of(value)?;
            let n_digits = integer.unsigned_abs().checked_ilog10().unwrap_or(0) + 1;
            (integer, u8::try_from(n_digits).ok()?, 0)
        }
    };
    let scale = i8::try_from(scale).ok()?;
    (precision <= DECIMAL128_MAX_PRECISION)
        .then(|| Expr::Literal(ScalarValue::Decimal128(Some(value), precision, scale), None))
}

fn integer_of(value: &ScalarValue) -> Option<i128> {
    Some(match *value {
        ScalarValue::Int8(Some(value)) => value.into(),
        ScalarValue::Int16(Some(value)) => value.into(),
        ScalarValue::Int32(Some(value)) => value.into(),
        ScalarValue::Int64(Some(value)) => value.into(),
        ScalarValue::UInt8(Some(value)) => value.into(),
        ScalarValue::UInt16(Some(value)) => value.into(),
        ScalarValue::UInt32(Some(value)) => value.into(),
        ScalarValue::UInt64(Some(value)) => value.into(),
        _ => return None,
    })
}

/// The same value as one of a decimal type, if the type has room for all its digits.
pub(super) fn fitting(value: &ScalarValue, to: &DataType) -> Option<ScalarValue> {
    let DataType::Decimal128(precision, scale) = *to else { return None };
    if value.is_null() {
        return Some(ScalarValue::Decimal128(None, precision, scale));
    }
    let (unscaled, from) = match *value {
        ScalarValue::Decimal128(Some(value), _, from) => (value, from),
        ref other => (integer_of(other)?, 0),
    };
    let shift = i32::from(scale) - i32::from(from);
    let power = 10_i128.checked_pow(shift.unsigned_abs())?;
    let unscaled = if shift >= 0 {
        unscaled.checked_mul(power)?
    } else if unscaled % power == 0 {
        unscaled / power
    } else {
        return None;
    };
    Decimal128Type::is_valid_decimal_precision(unscaled, precision).then_some(ScalarValue::Decimal128(
        Some(unscaled),
        precision,
        scale,
    ))
}
