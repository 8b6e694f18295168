//! `round`, `trunc`, `ceil` and `floor` with PostgreSQL's results: halves of floats go to the even number, halves of
//! decimals away from zero, and a decimal has as many digits behind the point as it is rounded to.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use datafusion::arrow::compute::{binary, cast};
use datafusion::arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, DecimalType, Field, FieldRef, Float32Type, Float64Type,
    Int64Type,
};
use datafusion::common::{Result as DataFusionResult, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::scalar::{array, asked_for_type, no_such_function};
use crate::error::{Error, ErrorKind, Result, into_datafusion};

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    [("round", Way::Round), ("trunc", Way::Trunc), ("ceil", Way::Ceil), ("floor", Way::Floor)]
        .into_iter()
        .map(|(name, way)| {
            let aliases = if way == Way::Ceil { vec!["ceiling".to_owned()] } else { Vec::new() };
            Arc::new(ScalarUDF::new_from_impl(Rounding {
                name,
                way,
                aliases,
                signature: Signature::user_defined(Volatility::Immutable),
            }))
        })
        .collect()
}

/// Where a number goes that lies between two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Way {
    Round,
    Trunc,
    Ceil,
    Floor,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Rounding {
    name: &'static str,
    way: Way,
    aliases: Vec<String>,
    signature: Signature,
}

impl ScalarUDFImpl for Rounding {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Err(asked_for_type(self.name))
    }

    fn coerce_types(&self, args: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        let takes_places = matches!(self.way, Way::Round | Way::Trunc);
        let value = args.first().and_then(|value| match value {
            DataType::Decimal128(..) | DataType::Float32 | DataType::Float64 => Some(value.clone()),
            DataType::Null => Some(DataType::Float64),
            value if value.is_numeric() => Some(DataType::Float64),
            _ => None,
        });
        match (value, args.get(1)) {
            (Some(value), None) => Ok(vec![value]),
            (Some(value), Some(places))
                if takes_places && args.len() == 2 && (places.is_integer() || *places == DataType::Null) =>
            {
                Ok(vec![value, DataType::Int64])
            }
            _ => {
                let fields: Vec<FieldRef> = args.iter().map(|of| Arc::new(Field::new("", of.clone(), true))).collect();
                Err(into_datafusion(no_such_function(self.name, &fields)))
            }
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        let of = args.arg_fields.first().map_or(DataType::Float64, |field| field.data_type().clone());
        let places = match args.scalar_arguments.get(1) {
            None => Some(0),
            Some(Some(ScalarValue::Int64(places))) => *places,
            Some(_) => None,
        };
        Ok(Arc::new(Field::new(self.name, rounded_type(&of, places), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let places = match args.args.get(1) {
            Some(places) => {
                cast(&places.to_array(args.number_rows)?, &DataType::Int64)?.as_primitive::<Int64Type>().clone()
            }
            None => Int64Array::from_value(0, args.number_rows),
        };
        let values = array(&args, 0).map_err(into_datafusion)?;
        let has_places = args.args.len() > 1;
        self.rounded(&values, &places, has_places, args.return_field.data_type())
            .map(ColumnarValue::Array)
            .map_err(into_datafusion)
    }
}

impl Rounding {
    fn rounded(&self, values: &ArrayRef, places: &Int64Array, has_places: bool, to: &DataType) -> Result<ArrayRef> {
        Ok(match (values.data_type(), to) {
            (&DataType::Decimal128(_, from), &DataType::Decimal128(precision, scale)) => {
                let decimals = values.as_primitive::<Decimal128Type>();
                let rounded = |value: i128, places: i64| {
                    decimal(value, from, places, scale, self.way)
                        .filter(|v| Decimal128Type::is_valid_decimal_precision(*v, precision))
                };
                let rounded: datafusion::arrow::array::Decimal128Array = decimals
                    .iter()
                    .zip(places)
                    .map(|(value, places)| {
                        value
                            .zip(places)
                            .map(|(value, places)| rounded(value, places).ok_or_else(out_of_range))
                            .transpose()
                    })
                    .collect::<Result<_>>()?;
                Arc::new(rounded.with_data_type(to.clone()))
            }
            (DataType::Float32, _) if has_places => {
                let floats = values.as_primitive::<Float32Type>();
                Arc::new(binary::<_, _, _, Float32Type>(floats, places, |value, places| {
                    to_places(value.into(), places, self.way) as f32
                })?)
            }
            (_, _) if has_places => {
                let floats = values.as_primitive::<Float64Type>();
                Arc::new(binary::<_, _, _, Float64Type>(floats, places, |value, places| {
                    to_places(value, places, self.way)
                })?)
            }
            (DataType::Float32, _) => {
                Arc::new(values.as_primitive::<Float32Type>().unary::<_, Float32Type>(|value| match self.way {
                    Way::Round => value.round_ties_even(),
                    Way::Trunc => value.trunc(),
                    Way::Ceil => value.ceil(),
                    Way::Floor => value.floor(),
                }))
            }
            _ => Arc::new(values.as_primitive::<Float64Type>().unary::<_, Float64Type>(|value| whole(value, self.way))),
        })
    }
}

fn whole(value: f64, way: Way) -> f64 {
    match way {
        Way::Round => value.round_ties_even(),
        Way::Trunc => value.trunc(),
        Way::Ceil => value.ceil(),
        Way::Floor => value.floor(),
    }
}

/// A float rounded to places behind the point, or before it, as the decimal of its shortest digits would be.
fn to_places(value: f64, places: i64, way: Way) -> f64 {
    const MOST: i64 = 330;
    if !value.is_finite() {
        return value;
    }
    let places = places.clamp(-MOST, MOST);
    if let Some(rounded) = far_from_half(value, places, way) {
        return rounded;
    }
    let digits = value.to_string();
    let fraction = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len() as i64);
    if places >= fraction {
        return value;
    }
    let unsigned = digits.strip_prefix('-').unwrap_or(&digits);
    let (integer, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all = [integer, fraction].concat();
    let kept = integer.len() as i64 + places;
    let (kept, next) = match usize::try_from(kept) {
        Ok(kept) => (all.get(..kept).unwrap_or(""), all.as_bytes().get(kept).copied().unwrap_or(b'0')),
        Err(_) => ("", b'0'),
    };
    let mut kept: Vec<u8> = std::iter::once(b'0').chain(kept.bytes()).collect();
    if way == Way::Round && next >= b'5' {
        for digit in kept.iter_mut().rev() {
            if *digit < b'9' {
                *digit += 1;
                break;
            }
            *digit = b'0';
        }
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let text = format!("{sign}{}e{}", String::from_utf8_lossy(&kept), -places);
    text.parse().unwrap_or(value)
}

/// The rounded value where no digit is in doubt: it is a quotient of two numbers that are exact as floats.
fn far_from_half(value: f64, places: i64, way: Way) -> Option<f64> {
    const MAX_EXACT: f64 = 1_125_899_906_842_624.0;
    const DOUBT: f64 = 1e-3;
    let power = 10_f64.powi(i32::try_from(places).ok().filter(|places| (0..=22).contains(places))?);
    let scaled = value * power;
    let fraction = (scaled - scaled.trunc()).abs();
    let limit = if way == Way::Round { (fraction - 0.5).abs() } else { fraction.min(1.0 - fraction) };
    (scaled.abs() < MAX_EXACT && limit > DOUBT)
        .then(|| if way == Way::Round { scaled.round() / power } else { scaled.trunc() / power })
}

/// The type of a rounded value; the scale stays if it is not known to how many places.
fn rounded_type(of: &DataType, places: Option<i64>) -> DataType {
    match *of {
        DataType::Decimal128(precision, scale) => {
            // As many places as are asked for, as far as there is room.
            let most = i8::try_from(DECIMAL128_MAX_PRECISION).unwrap_or(i8::MAX)
                - i8::try_from(precision).unwrap_or(i8::MAX)
                + scale
                - 1;
            let kept =
                places.map_or(scale, |places| i8::try_from(places.clamp(0, i64::from(most.max(scale)))).unwrap_or(0));
            // Rounding up may need a digit more.
            let before = i16::from(precision) - i16::from(scale) + 1;
            let precision = u8::try_from(before + i16::from(kept))
                .unwrap_or(DECIMAL128_MAX_PRECISION)
                .clamp(1, DECIMAL128_MAX_PRECISION);
            DataType::Decimal128(precision, kept)
        }
        DataType::Float32 => DataType::Float32,
        _ => DataType::Float64,
    }
}

/// An unscaled decimal of one scale, rounded to `places`, at another.
fn decimal(value: i128, from: i8, places: i64, to: i8, way: Way) -> Option<i128> {
    let dropped = i64::from(from) - places;
    let rounded_at = |power: u32, value: i128| -> Option<i128> {
        let Some(unit) = 10_i128.checked_pow(power) else {
            let away = match way {
                Way::Ceil => value > 0,
                Way::Floor => value < 0,
                Way::Round | Way::Trunc => false,
            };
            // The unit has more digits than any value.
            return (!away).then_some(0);
        };
        let (quotient, rest) = (value.div_euclid(unit), value.rem_euclid(unit));
        let up = match way {
            Way::Floor => false,
            Way::Ceil => rest > 0,
            Way::Trunc => rest > 0 && value < 0,
            Way::Round if value < 0 => rest > unit - rest,
            Way::Round => rest >= unit - rest && rest > 0,
        };
        (quotient + i128::from(up)).checked_mul(unit)
    };
    let value = match u32::try_from(dropped) {
        Ok(power) if power > 0 => rounded_at(power, value)?,
        _ => value,
    };
    let shift = i32::from(to) - i32::from(from);
    let power = 10_i128.checked_pow(shift.unsigned_abs())?;
    // What is cut off is zeros by now.
    if shift >= 0 { value.checked_mul(power) } else { Some(value / power) }
}

fn out_of_range() -> Error {
    Error::new(ErrorKind::NumericValueOutOfRange, "a rounded decimal has too many digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals() {
        for (value, places, way, expected) in [
            (250, 0, Way::Round, 3),
            (-250, 0, Way::Round, -3),
            (249, 0, Way::Round, 2),
            (-249, 0, Way::Round, -2),
            (299, 0, Way::Trunc, 2),
            (-299, 0, Way::Trunc, -2),
            (201, 0, Way::Ceil, 3),
            (-299, 0, Way::Ceil, -2),
            (299, 0, Way::Floor, 2),
            (-201, 0, Way::Floor, -3),
            (200, 0, Way::Ceil, 2),
            (5000, -2, Way::Round, 100),
            (4999, -2, Way::Round, 0),
            (-5000, -2, Way::Round, -100),
            (5000, -50, Way::Round, 0),
        ] {
            assert_eq!(decimal(value, 2, places, 0, way), Some(expected), "{value} {places} {way:?}");
        }
        assert_eq!(decimal(1, 2, -50, 0, Way::Ceil), None);
    }

    #[test]
    fn floats_to_places() {
        for (value, places, expected) in [
            (1.005, 2, 1.01),
            (2.345, 2, 2.35),
            (-2.345, 2, -2.35),
            (15.0, -1, 20.0),
            (14.9, -1, 10.0),
            (-15.0, -1, -20.0),
            (0.5, 0, 1.0),
            (9.99, 1, 10.0),
            (1e300, 2, 1e300),
            (5.0, -1, 10.0),
            (5.0, -2, 0.0),
            (1234.5, -400, 0.0),
            (0.1, 400, 0.1),
        ] {
            assert_eq!(to_places(value, places, Way::Round), expected, "{value} {places}");
        }
        assert_eq!(to_places(-1.999, 2, Way::Trunc), -1.99);
        assert!(to_places(f64::NAN, 2, Way::Round).is_nan());
    }
}
