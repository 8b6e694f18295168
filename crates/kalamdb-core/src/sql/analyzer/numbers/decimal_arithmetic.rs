//! Products and quotients of decimals, rounded half away from zero to a scale that is chosen as PostgreSQL chooses it,
//! as far as 38 digits go.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Datum, Decimal128Array};
use datafusion::arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, i256};
use datafusion::arrow::error::ArrowError;

/// The digits behind the point that a quotient has at least, and at most if its operands have no more.
const QUOTIENT_SCALES: (u8, u8) = (16, 20);

/// Products of more digits behind the point are rounded, so that there is room before it.
const MAX_PRODUCT_SCALE: u8 = 24;

/// The scale of a quotient or an average whose integers have so many digits; `scale` is the greatest of its operands.
pub(super) fn quotient_scale(integer_digits: u8, scale: u8) -> u8 {
    let (least, most) = QUOTIENT_SCALES;
    DECIMAL128_MAX_PRECISION.saturating_sub(integer_digits).clamp(least, most).max(scale)
}

pub(crate) fn quotient_type(left: (u8, i8), right: (u8, i8)) -> DataType {
    let integer_digits = i16::from(left.0) - i16::from(left.1) + i16::from(right.1);
    let scale =
        quotient_scale(u8::try_from(integer_digits).unwrap_or(0), u8::try_from(left.1.max(right.1)).unwrap_or(0));
    decimal(DECIMAL128_MAX_PRECISION, scale)
}

pub(crate) fn product_type(left: (u8, i8), right: (u8, i8)) -> DataType {
    let precision = left.0.saturating_add(right.0).saturating_add(1).min(DECIMAL128_MAX_PRECISION);
    let scale = u8::try_from(left.1.saturating_add(right.1)).unwrap_or(0);
    let greatest = u8::try_from(left.1.max(right.1)).unwrap_or(0);
    decimal(
        precision,
        if precision < DECIMAL128_MAX_PRECISION { scale } else { scale.min(MAX_PRODUCT_SCALE.max(greatest)) },
    )
}

fn decimal(precision: u8, scale: u8) -> DataType {
    DataType::Decimal128(precision, i8::try_from(scale).unwrap_or(i8::MAX))
}

/// The quotients of decimals as values of `to`.
pub(super) fn divided(left: &dyn Datum, right: &dyn Datum, to: &DataType) -> Result<ArrayRef, ArrowError> {
    let shift = scale_of(to) + scale(right) - scale(left);
    each(left, right, to, |a, b| {
        if b == 0 {
            return Err(ArrowError::DivideByZero);
        }
        // A quotient has never fewer digits than its operands, so that nothing is cut off twice.
        let power = u32::try_from(shift).unwrap_or(0);
        match 10_i128.checked_pow(power).and_then(|power| a.checked_mul(power)) {
            Some(a) => rounded(a, b).ok_or_else(overflow),
            None => {
                let a = i256::from_i128(a).checked_mul(power_of_ten(power)?).ok_or_else(overflow)?;
                rounded_wide(a, i256::from_i128(b))
            }
        }
    })
}

/// The products of decimals as values of `to`.
pub(super) fn multiplied(left: &dyn Datum, right: &dyn Datum, to: &DataType) -> Result<ArrayRef, ArrowError> {
    let excess = u32::try_from(scale(left) + scale(right) - scale_of(to)).unwrap_or(0);
    each(left, right, to, |a, b| {
        if excess == 0 {
            return a.checked_mul(b).ok_or_else(overflow);
        }
        // Two numbers of 128 bits have a product of 256.
        let product = i256::from_i128(a).checked_mul(i256::from_i128(b)).ok_or_else(overflow)?;
        rounded_wide(product, power_of_ten(excess)?)
    })
}

fn each(
    left: &dyn Datum,
    right: &dyn Datum,
    to: &DataType,
    op: impl Fn(i128, i128) -> Result<i128, ArrowError>,
) -> Result<ArrayRef, ArrowError> {
    let ((left, left_is_one), (right, right_is_one)) = (left.get(), right.get());
    let of = |array: &dyn Array| {
        array
            .as_primitive_opt::<Decimal128Type>()
            .cloned()
            .ok_or_else(|| ArrowError::ComputeError("not a decimal".to_owned()))
    };
    let (left, right) = (of(left)?, of(right)?);
    let values = match (left_is_one, right_is_one) {
        (true, true) | (false, false) => {
            let pairs = left.iter().zip(right.iter());
            pairs
                .map(|(a, b)| a.zip(b).map(|(a, b)| op(a, b)).transpose())
                .collect::<Result<Decimal128Array, ArrowError>>()?
        }
        (true, false) => match left.iter().next().flatten() {
            Some(a) => right.try_unary::<_, Decimal128Type, _>(|b| op(a, b))?,
            None => Decimal128Array::new_null(right.len()),
        },
        (false, true) => match right.iter().next().flatten() {
            Some(b) => left.try_unary::<_, Decimal128Type, _>(|a| op(a, b))?,
            None => Decimal128Array::new_null(left.len()),
        },
    };
    Ok(Arc::new(values.with_data_type(to.clone())))
}

/// `a / b`, rounded half away from zero.
fn rounded(a: i128, b: i128) -> Option<i128> {
    let (quotient, rest) = (a.checked_div(b)?, a.checked_rem(b)?.unsigned_abs());
    let up = rest >= b.unsigned_abs() - rest;
    Some(if up && rest != 0 { quotient + if (a < 0) == (b < 0) { 1 } else { -1 } } else { quotient })
}

fn rounded_wide(a: i256, b: i256) -> Result<i128, ArrowError> {
    let quotient = a.checked_div(b).ok_or_else(overflow)?;
    let rest = a.checked_rem(b).ok_or_else(overflow)?.wrapping_abs();
    let is_half = rest >= b.wrapping_abs().wrapping_sub(rest) && rest != i256::ZERO;
    let step = if a.is_negative() == b.is_negative() { i256::ONE } else { i256::MINUS_ONE };
    let quotient = if is_half { quotient.checked_add(step).ok_or_else(overflow)? } else { quotient };
    quotient.to_i128().ok_or_else(overflow)
}

fn power_of_ten(power: u32) -> Result<i256, ArrowError> {
    let half = |power: u32| 10_i128.checked_pow(power).map(i256::from_i128);
    let (a, b) = (power / 2, power - power / 2);
    half(a).zip(half(b)).and_then(|(a, b)| a.checked_mul(b)).ok_or_else(overflow)
}

fn scale(of: &dyn Datum) -> i32 {
    scale_of(of.get().0.data_type())
}

fn scale_of(data_type: &DataType) -> i32 {
    match data_type {
        DataType::Decimal128(_, scale) => i32::from(*scale),
        _ => 0,
    }
}

fn overflow() -> ArrowError {
    ArrowError::ArithmeticOverflow("a decimal has more than 38 digits".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_are_rounded_half_away_from_zero() {
        for (a, b, expected) in
            [(5, 2, 3), (-5, 2, -3), (5, -2, -3), (-5, -2, 3), (4, 3, 1), (-4, 3, -1), (5, 3, 2), (0, 7, 0), (1, 3, 0)]
        {
            assert_eq!(rounded(a, b), Some(expected), "{a} / {b}");
            assert_eq!(rounded_wide(i256::from_i128(a), i256::from_i128(b)).ok(), Some(expected), "{a} / {b}");
        }
        assert_eq!(rounded(1, 0), None);
        assert_eq!(rounded(i128::MIN, -1), None);
    }

    #[test]
    fn types_keep_digits() {
        assert_eq!(quotient_type((10, 2), (1, 0)), DataType::Decimal128(38, 20));
        assert_eq!(quotient_type((38, 10), (1, 0)), DataType::Decimal128(38, 16));
        assert_eq!(quotient_type((38, 30), (38, 10)), DataType::Decimal128(38, 30));
        assert_eq!(product_type((10, 2), (5, 1)), DataType::Decimal128(16, 3));
        assert_eq!(product_type((38, 20), (38, 20)), DataType::Decimal128(38, 24));
        assert_eq!(product_type((38, 10), (38, 10)), DataType::Decimal128(38, 20));
    }
}
