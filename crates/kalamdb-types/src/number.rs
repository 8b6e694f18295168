//! Numbers from text, and decimals between scales.

use crate::{error::Failure, sql_type::MAX_PRECISION};

/// Parses an integer as PostgreSQL does: spaces around it, a sign, digits; also `0x1F`, `0o17`, `0b101` and `1_000`.
pub(crate) fn parse_integer(text: &str) -> Result<i128, Failure> {
    let text = text.trim_ascii();
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (radix, digits) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, unsigned.get(2..)),
        [b'0', b'o' | b'O', ..] => (8, unsigned.get(2..)),
        [b'0', b'b' | b'B', ..] => (2, unsigned.get(2..)),
        _ => (10, Some(unsigned)),
    };
    let Some(digits) =
        digits.filter(|digits| digits.starts_with(|c: char| c.is_digit(radix) || radix != 10 && c == '_'))
    else {
        return Err(Failure::Syntax);
    };
    let value = if digits.contains('_') {
        if digits.ends_with('_') || digits.contains("__") {
            return Err(Failure::Syntax);
        }
        parse_digits(&digits.replace('_', ""), radix)?
    } else {
        parse_digits(digits, radix)?
    };
    Ok(if text.starts_with('-') { -value } else { value })
}

fn parse_digits(digits: &str, radix: u32) -> Result<i128, Failure> {
    i128::from_str_radix(digits, radix).map_err(|error| match error.kind() {
        std::num::IntErrorKind::PosOverflow => Failure::Range,
        _ => Failure::Syntax,
    })
}

/// The decimal that a number is as it is written, `1.50` or `-2e3`: its unscaled value, precision and scale. `None` for
/// what is no number, or has more than 38 digits.
pub fn exact_decimal(text: &str) -> Option<(i128, u8, u8)> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let written = i64::try_from(fraction.len()).ok()?.checked_sub(exponent.parse::<i64>().ok()?)?;
    let scale = u8::try_from(written.max(0)).ok().filter(|scale| *scale <= MAX_PRECISION)?;
    let value = parse_decimal(text, MAX_PRECISION, scale, Excess::Refuse).ok()?;
    let n_digits = integer.trim_start_matches('0').len().saturating_add(fraction.len());
    let n_digits = i64::try_from(n_digits).ok()?.checked_add(written.min(0).checked_neg()?)?;
    let precision = u8::try_from(n_digits).ok().filter(|digits| *digits <= MAX_PRECISION)?.max(scale).max(1);
    Some((value, precision, scale))
}

/// Parses a 64-bit float. Numbers that would become infinite, or 0 although they are not, are out of range.
pub(crate) fn parse_f64(text: &str) -> Result<f64, Failure> {
    let text = text.trim_ascii();
    let value: f64 = text.parse().map_err(|_| Failure::Syntax)?;
    check_float(text, value.is_infinite(), value == 0.0).map(|()| value)
}

/// Parses a 32-bit float, as [`parse_f64`] does.
pub(crate) fn parse_f32(text: &str) -> Result<f32, Failure> {
    let text = text.trim_ascii();
    let value: f32 = text.parse().map_err(|_| Failure::Syntax)?;
    check_float(text, value.is_infinite(), value == 0.0).map(|()| value)
}

fn check_float(text: &str, is_infinite: bool, is_zero: bool) -> Result<(), Failure> {
    let says_infinity = || text.contains(['i', 'I']);
    let mantissa_is_zero =
        || !text.bytes().take_while(|b| !matches!(b, b'e' | b'E')).any(|b| (b'1'..=b'9').contains(&b));
    if (is_infinite && !says_infinity()) || (is_zero && !mantissa_is_zero()) { Err(Failure::Range) } else { Ok(()) }
}

/// What to do with digits that a decimal's scale has no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    /// Round, half away from zero.
    Round,
    /// Refuse, unless they are zeros.
    Refuse,
}

/// Parses a decimal number, with or without an exponent, to its unscaled value at `scale`.
pub(crate) fn parse_decimal(text: &str, precision: u8, scale: u8, excess: Excess) -> Result<i128, Failure> {
    let text = text.trim_ascii();
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or("")),
        Some(b'+') => (false, text.get(1..).unwrap_or("")),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (unsigned, 0),
    };
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = || integer.bytes().chain(fraction.bytes());
    if all().next().is_none() || !all().all(|b| b.is_ascii_digit()) {
        let is_name = ["nan", "inf", "infinity"].iter().any(|name| unsigned.eq_ignore_ascii_case(name));
        return Err(if is_name { Failure::Range } else { Failure::Syntax });
    }
    // The digits, read as an integer, are the unscaled value times 10^-shift.
    let shift = exponent.saturating_add(i64::from(scale)).saturating_sub_unsigned(fraction.len() as u64);
    let digits = || all().skip_while(|b| *b == b'0').map(|b| i128::from(b - b'0'));
    let n_digits = i64::try_from(digits().count()).unwrap_or(i64::MAX);
    if n_digits == 0 {
        return Ok(0);
    }
    let n_kept = n_digits.saturating_add(shift);
    if n_kept > i64::from(precision.min(38)) {
        return Err(Failure::Range);
    }
    let n_read = usize::try_from(n_kept.clamp(0, n_digits)).unwrap_or(0);
    let mut value = digits().take(n_read).fold(0_i128, |value, digit| value * 10 + digit);
    if shift > 0 {
        value = times_power_of_ten(value, shift).ok_or(Failure::Range)?;
    } else if shift < 0 {
        if excess == Excess::Refuse && digits().skip(n_read).any(|digit| digit != 0) {
            return Err(Failure::Digits);
        }
        let first_dropped = if n_kept < 0 { 0 } else { digits().nth(n_read).unwrap_or(0) };
        value += i128::from(first_dropped >= 5);
    }
    fit(if negative { -value } else { value }, precision)
}

fn parse_exponent(text: &str) -> Result<i64, Failure> {
    match text.parse::<i64>() {
        Ok(exponent) => Ok(exponent),
        Err(error) => match error.kind() {
            std::num::IntErrorKind::PosOverflow => Ok(i64::MAX),
            std::num::IntErrorKind::NegOverflow => Ok(i64::MIN),
            _ => Err(Failure::Syntax),
        },
    }
}

/// Brings an unscaled decimal from one scale to another.
pub(crate) fn rescale(value: i128, from: i8, precision: u8, scale: u8, excess: Excess) -> Result<i128, Failure> {
    let shift = i64::from(scale) - i64::from(from);
    if shift >= 0 {
        return fit(times_power_of_ten(value, shift).ok_or(Failure::Range)?, precision);
    }
    let (quotient, remainder) = divide(value, -shift);
    if excess == Excess::Refuse && remainder != Remainder::Zero {
        return Err(Failure::Digits);
    }
    fit(quotient + if remainder == Remainder::HalfOrMore { value.signum() } else { 0 }, precision)
}

/// The integer that a decimal is, rounded half away from zero.
pub(crate) fn decimal_to_integer(value: i128, scale: i8, excess: Excess) -> Result<i128, Failure> {
    let scale = i64::from(scale);
    if scale <= 0 {
        return times_power_of_ten(value, -scale).ok_or(Failure::Range);
    }
    let (quotient, remainder) = divide(value, scale);
    match remainder {
        Remainder::Zero => Ok(quotient),
        _ if excess == Excess::Refuse => Err(Failure::Fraction),
        Remainder::BelowHalf => Ok(quotient),
        Remainder::HalfOrMore => Ok(quotient + value.signum()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remainder {
    Zero,
    BelowHalf,
    HalfOrMore,
}

/// `value / 10^power` towards zero, and how much was cut off.
fn divide(value: i128, power: i64) -> (i128, Remainder) {
    let Some(divisor) = times_power_of_ten(1, power) else {
        // The divisor is at least 10^39, more than twice any value.
        return (0, if value == 0 { Remainder::Zero } else { Remainder::BelowHalf });
    };
    let rest = (value % divisor).unsigned_abs();
    let remainder = match rest {
        0 => Remainder::Zero,
        _ if rest >= divisor.unsigned_abs() - rest => Remainder::HalfOrMore,
        _ => Remainder::BelowHalf,
    };
    (value / divisor, remainder)
}

fn times_power_of_ten(value: i128, power: i64) -> Option<i128> {
    if value == 0 {
        return Some(0);
    }
    value.checked_mul(10_i128.checked_pow(u32::try_from(power).ok()?)?)
}

/// The value, if it has at most `precision` digits.
pub(crate) fn fit(value: i128, precision: u8) -> Result<i128, Failure> {
    match 10_u128.checked_pow(u32::from(precision)) {
        Some(limit) if value.unsigned_abs() >= limit => Err(Failure::Range),
        _ => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_from_text() {
        for (text, unscaled) in [
            ("1", Ok(100)),
            (" -1.5 ", Ok(-150)),
            ("+.5", Ok(50)),
            ("5.", Ok(500)),
            ("1e2", Ok(10_000)),
            ("1.25E-1", Ok(13)),
            ("0.005", Ok(1)),
            ("-0.005", Ok(-1)),
            ("0.004999", Ok(0)),
            ("0.0005", Ok(0)),
            ("0e999999999999999999999", Ok(0)),
            ("99999.994", Ok(9_999_999)),
            ("99999.995", Err(Failure::Range)),
            ("1e99999999999999999999", Err(Failure::Range)),
            ("1e-99999999999999999999", Ok(0)),
            ("", Err(Failure::Syntax)),
            (".", Err(Failure::Syntax)),
            ("1.2.3", Err(Failure::Syntax)),
            ("1e", Err(Failure::Syntax)),
            ("--1", Err(Failure::Syntax)),
            ("NaN", Err(Failure::Range)),
            ("0x10", Err(Failure::Syntax)),
        ] {
            assert_eq!(parse_decimal(text, 7, 2, Excess::Round), unscaled, "{text:?}");
        }
        assert_eq!(parse_decimal("1.10", 7, 1, Excess::Refuse), Ok(11));
        assert_eq!(parse_decimal("1.11", 7, 1, Excess::Refuse), Err(Failure::Digits));
        let nines = "9".repeat(38);
        assert_eq!(parse_decimal(&nines, 38, 0, Excess::Refuse), Ok(10_i128.pow(38) - 1));
    }

    #[test]
    fn exact_decimals() {
        for (text, expected) in [
            ("8743.46", Some((874_346, 6, 2))),
            ("-1.50", Some((-150, 3, 2))),
            ("0.001", Some((1, 3, 3))),
            ("2e3", Some((2000, 4, 0))),
            ("1.5e1", Some((15, 2, 0))),
            ("1e-3", Some((1, 3, 3))),
            ("0", Some((0, 1, 0))),
            ("1e38", None),
            ("1e-39", None),
            ("x", None),
            ("1e99999999999999999999", None),
        ] {
            assert_eq!(exact_decimal(text), expected, "{text}");
        }
    }

    #[test]
    fn integers_from_text() {
        for (text, expected) in [
            (" 15 ", Ok(15)),
            ("+15", Ok(15)),
            ("-0x1F", Ok(-31)),
            ("0b101", Ok(5)),
            ("1_000", Ok(1000)),
            ("1__0", Err(Failure::Syntax)),
            ("1_", Err(Failure::Syntax)),
            ("_1", Err(Failure::Syntax)),
            ("0x", Err(Failure::Syntax)),
            ("--1", Err(Failure::Syntax)),
            ("", Err(Failure::Syntax)),
            ("1.5", Err(Failure::Syntax)),
            ("999999999999999999999999999999999999999999", Err(Failure::Range)),
        ] {
            assert_eq!(parse_integer(text), expected, "{text:?}");
        }
    }

    #[test]
    fn scales() {
        assert_eq!(rescale(125, 2, 10, 1, Excess::Round), Ok(13));
        assert_eq!(rescale(-125, 2, 10, 1, Excess::Round), Ok(-13));
        assert_eq!(rescale(125, 2, 10, 1, Excess::Refuse), Err(Failure::Digits));
        assert_eq!(rescale(10_i128.pow(37), 0, 38, 38, Excess::Round), Err(Failure::Range));
        assert_eq!(decimal_to_integer(-25, 1, Excess::Round), Ok(-3));
        assert_eq!(decimal_to_integer(25, 1, Excess::Refuse), Err(Failure::Fraction));
        assert_eq!(decimal_to_integer(7, -2, Excess::Refuse), Ok(700));
    }

    #[test]
    fn floats_from_text() {
        assert_eq!(parse_f64(" 1e-7 "), Ok(1e-7));
        assert_eq!(parse_f64("-infinity"), Ok(f64::NEG_INFINITY));
        assert_eq!(parse_f64("1e400"), Err(Failure::Range));
        assert_eq!(parse_f64("1e-400"), Err(Failure::Range));
        assert_eq!(parse_f64("0e-400"), Ok(0.0));
        assert_eq!(parse_f64("1,5"), Err(Failure::Syntax));
        assert_eq!(parse_f32("3.5e38"), Err(Failure::Range));
    }
}
