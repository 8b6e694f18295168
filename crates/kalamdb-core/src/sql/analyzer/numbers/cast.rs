//! Casts of numbers, and of texts to them, with PostgreSQL's rounding, spelling and errors; DataFusion's cut off and
//! wrap around.

use datafusion::arrow::array::{Array, ArrayRef, new_null_array};
use datafusion::arrow::compute::{cast, concat};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, ScalarValue, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Cast, TryCast};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use kalamdb_types::{Source, SqlType, coerce};

use crate::error::{Error, into_datafusion};

/// Whether a cast to that type may be replaced.
pub(super) fn is_checked(to: &DataType) -> bool {
    to.is_numeric() || is_text(to) || *to == DataType::Boolean
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// The function in place of a cast, or the cast itself if it does what PostgreSQL does.
pub(super) fn of(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    let (value, field, tries) = match &expr {
        Expr::Cast(Cast { expr: value, field }) => (value, field, false),
        // A comparison with one would be turned into one with the value that is cast, whether it can be cast or not.
        Expr::TryCast(TryCast { expr: value, field }) => (value, field, true),
        _ => return Transformed::no(expr),
    };
    let to = field.data_type();
    if !is_checked(to)
        || SqlType::of_field(field).is_none()
        || !value.get_type(schema).is_ok_and(|from| differs(&from, to) || tries && is_plain(&from))
    {
        return Transformed::no(expr);
    }
    let function = CheckedCast { to: to.clone(), tries, signature: Signature::any(1, Volatility::Immutable) };
    Transformed::yes(ScalarUDF::new_from_impl(function).call(vec![value.as_ref().clone()]))
}

fn is_plain(data_type: &DataType) -> bool {
    data_type.is_numeric() || is_text(data_type)
}

/// Whether the cast may fail, or give another value than PostgreSQL's. Casts to a wider type stay as they are: the
/// planner sees through them to the column.
fn differs(from: &DataType, to: &DataType) -> bool {
    if is_text(from) {
        return !is_text(to);
    }
    if from.is_floating() {
        return to.is_integer()
            || to.is_decimal()
            || is_text(to)
            || *from == DataType::Float64 && *to == DataType::Float32;
    }
    if from.is_decimal() && to.is_floating() {
        return true;
    }
    // Digits before and behind the point.
    let digits = |of: &DataType| match of {
        DataType::Int8 | DataType::UInt8 => Some((3, 0)),
        DataType::Int16 | DataType::UInt16 => Some((5, 0)),
        DataType::Int32 | DataType::UInt32 => Some((10, 0)),
        DataType::Int64 => Some((19, 0)),
        DataType::UInt64 => Some((20, 0)),
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            Some((i16::from(*precision) - i16::from(*scale), i16::from(*scale)))
        }
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
        // Rounding is seen through to the column as well, where it must not be.
        (false, false) => from_scale > to_scale || from_digits > to_digits,
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CheckedCast {
    to: DataType,
    /// Whether what does not convert is NULL.
    tries: bool,
    signature: Signature,
}

impl ScalarUDFImpl for CheckedCast {
    fn name(&self) -> &'static str {
        "checked_cast"
    }

    fn display_name(&self, args: &[Expr]) -> Result<String> {
        Ok(args.first().map_or_else(String::new, |value| {
            format!("{}({value} AS {})", if self.tries { "TRY_CAST" } else { "CAST" }, self.to)
        }))
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
        let field = args
            .arg_fields
            .first()
            .map_or_else(|| Field::new("", values.data_type().clone(), true), |field| field.as_ref().clone());
        let converted = self.convert(&values, &field)?;
        Ok(if is_scalar {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&converted, 0)?)
        } else {
            ColumnarValue::Array(converted)
        })
    }
}

impl CheckedCast {
    fn convert(&self, values: &ArrayRef, field: &Field) -> Result<ArrayRef> {
        let Some(target) = SqlType::of_field(&Field::new("", self.to.clone(), true)) else {
            return internal_err!("{} is not the type of a column", self.to);
        };
        let converted = match coerce(values, field, &target, Source::Sql) {
            Ok(converted) => converted,
            Err(_) if self.tries => one_by_one(values, field, &target)?,
            Err(error) => return Err(into_datafusion(Error::from(error))),
        };
        Ok(if *converted.data_type() == self.to { converted } else { cast(&converted, &self.to)? })
    }
}

/// NULL for each value that does not convert.
fn one_by_one(values: &ArrayRef, field: &Field, target: &SqlType) -> Result<ArrayRef> {
    let null = new_null_array(&target.arrow(), 1);
    let converted: Vec<ArrayRef> = (0..values.len())
        .map(|row| coerce(&values.slice(row, 1), field, target, Source::Sql).unwrap_or_else(|_| null.clone()))
        .collect();
    let parts: Vec<&dyn Array> = converted.iter().map(AsRef::as_ref).collect();
    Ok(concat(&parts)?)
}
