//! Casts to integers and decimals that tell a number that does not fit from a text that is no number.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, ScalarValue, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::{ColumnarValue, Expr, ExprSchemable, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::error::{Error, ErrorKind, into_datafusion};

/// Whether a cast to that type may be replaced.
pub(super) fn is_checked(to: &DataType) -> bool {
    to.is_integer() || matches!(to, DataType::Decimal128(..))
}

/// The function in place of a cast, or the cast itself if it cannot fail for the size of a number.
pub(super) fn of(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    let Expr::Cast(Cast { expr: value, field }) = &expr else {
        return Transformed::no(expr);
    };
    let to = field.data_type();
    if !is_checked(to) || !value.get_type(schema).is_ok_and(|from| may_be_too_large(&from, to)) {
        return Transformed::no(expr);
    }
    let function = CheckedCast { to: to.clone(), signature: Signature::any(1, Volatility::Immutable) };
    Transformed::yes(ScalarUDF::new_from_impl(function).call(vec![value.as_ref().clone()]))
}

/// Casts to a wider type stay as they are: the planner sees through them to the column.
fn may_be_too_large(from: &DataType, to: &DataType) -> bool {
    if matches!(from, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) || from.is_floating() {
        return true;
    }
    // Digits before and behind the point.
    let digits = |of: &DataType| match of {
        DataType::Int8 | DataType::UInt8 => Some((3, 0)),
        DataType::Int16 | DataType::UInt16 => Some((5, 0)),
        DataType::Int32 | DataType::UInt32 => Some((10, 0)),
        DataType::Int64 => Some((19, 0)),
        DataType::UInt64 => Some((20, 0)),
        DataType::Decimal128(precision, scale) => Some((i16::from(*precision) - i16::from(*scale), i16::from(*scale))),
        _ => None,
    };
    let (Some((from_digits, from_scale)), Some((to_digits, to_scale))) = (digits(from), digits(to)) else {
        return false;
    };
    match (from.is_integer(), to.is_integer()) {
        (true, true) => from != to && (from_digits >= to_digits || from.is_signed_integer() && !to.is_signed_integer()),
        (true, false) => from_digits > to_digits,
        // The decimal may have more digits than any integer.
        (false, true) => true,
        // Rounding may need one more.
        (false, false) => from_digits + i16::from(from_scale > to_scale) > to_digits,
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CheckedCast {
    to: DataType,
    signature: Signature,
}

impl ScalarUDFImpl for CheckedCast {
    fn name(&self) -> &'static str {
        "checked_cast"
    }

    /// A column that is cast keeps its name, as with other casts.
    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        Ok(args.first().map_or_else(String::new, |value| value.schema_name().to_string()))
    }

    fn display_name(&self, args: &[Expr]) -> Result<String> {
        Ok(args.first().map_or_else(String::new, |value| format!("CAST({value} AS {})", self.to)))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.to.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = args.args.as_slice() else {
            return internal_err!("a cast takes one value");
        };
        let is_scalar = matches!(value, ColumnarValue::Scalar(_));
        let values = value.to_array(if is_scalar { 1 } else { args.number_rows })?;
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        match cast_with_options(&values, &self.to, &strict) {
            Ok(values) if is_scalar => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&values, 0)?)),
            Ok(values) => Ok(ColumnarValue::Array(values)),
            Err(_) if is_too_large(&values, &self.to)? => {
                let message = format!("a value is out of range for type {}", kalamdb_types::type_name(&Field::new("", self.to.clone(), true)));
                Err(into_datafusion(Error::new(ErrorKind::NumericValueOutOfRange, message)))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Why the cast of some of the values fails: they are numbers, or the first text that fails is one.
fn is_too_large(values: &ArrayRef, to: &DataType) -> Result<bool> {
    if !matches!(values.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) {
        return Ok(true);
    }
    let texts = cast_with_options(values, &DataType::Utf8, &CastOptions::default())?;
    let texts: &StringArray = texts.as_string();
    let converted = cast_with_options(values, to, &CastOptions::default())?;
    let failed = (0..texts.len()).find(|row| texts.is_valid(*row) && converted.is_null(*row));
    let text = failed.map_or("", |row| texts.value(row)).trim();
    Ok(if to.is_integer() { text.parse::<i128>().is_ok() } else { text.parse::<f64>().is_ok_and(f64::is_finite) })
}
