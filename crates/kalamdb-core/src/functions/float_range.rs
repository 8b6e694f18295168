//! Functions of floats as in PostgreSQL: they fail where there is no result, for which DataFusion's give infinities and
//! NaN, and of a REAL they give a DOUBLE.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::Result as DataFusionResult;
use datafusion::functions::math;
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::{Error, ErrorKind, Result, into_datafusion};

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    let with_limits = [
        math::exp(),
        math::power(),
        math::ln(),
        math::log(),
        math::log2(),
        math::log10(),
        math::degrees(),
        math::sqrt(),
    ];
    let with_domains =
        [math::sin(), math::cos(), math::tan(), math::cot(), math::asin(), math::acos(), math::acosh(), math::atanh()];
    let others = [
        math::cbrt(),
        math::atan(),
        math::atan2(),
        math::sinh(),
        math::cosh(),
        math::tanh(),
        math::asinh(),
        math::radians(),
    ];
    [with_limits, with_domains, others]
        .into_iter()
        .flatten()
        .map(|inner| {
            Arc::new(ScalarUDF::new_from_impl(InRange {
                inner,
                signature: Signature::user_defined(Volatility::Immutable),
            }))
        })
        .collect()
}

/// What has no result for an infinite argument either.
const WITHOUT_INFINITY: [&str; 8] = ["sin", "cos", "tan", "cot", "asin", "acos", "acosh", "atanh"];

#[derive(Debug, PartialEq, Eq, Hash)]
struct InRange {
    inner: Arc<ScalarUDF>,
    signature: Signature,
}

impl ScalarUDFImpl for InRange {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> DataFusionResult<DataType> {
        self.inner.return_type(args)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn coerce_types(&self, args: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        let widened =
            |data_type: &DataType| if *data_type == DataType::Float32 { DataType::Float64 } else { data_type.clone() };
        let fields: Vec<FieldRef> =
            args.iter().map(|data_type| Arc::new(Field::new("", widened(data_type), true))).collect();
        Ok(fields_with_udf(&fields, self.inner.as_ref())?.iter().map(|field| field.data_type().clone()).collect())
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let (inputs, n_rows) = (args.args.clone(), args.number_rows);
        let result = self.inner.invoke_with_args(args)?;
        if !result.data_type().is_floating() {
            return Ok(result);
        }
        let is_scalar = matches!(result, ColumnarValue::Scalar(_));
        let values = floats(&result.to_array(if is_scalar { 1 } else { n_rows })?)?;
        // Most results are finite, and their arguments need no look.
        if values.iter().flatten().all(f64::is_finite) {
            return Ok(result);
        }
        let inputs =
            inputs.iter().map(|input| floats(&input.to_array(values.len())?)).collect::<DataFusionResult<Vec<_>>>()?;
        for (row, value) in values.iter().enumerate() {
            let Some(value) = value.filter(|value| !value.is_finite()) else { continue };
            let is_outside = |input: f64| {
                input.is_nan() || input.is_infinite() && !(value.is_nan() && WITHOUT_INFINITY.contains(&self.name()))
            };
            if inputs.iter().all(|input| input.is_valid(row) && !is_outside(input.value(row))) {
                self.refuse(value).map_err(into_datafusion)?;
            }
        }
        Ok(result)
    }
}

impl InRange {
    /// The error of a result that is infinite or NaN although the arguments are finite.
    fn refuse(&self, value: f64) -> Result<()> {
        let name = self.name();
        if matches!(name, "exp" | "power" | "degrees") && value.is_infinite() {
            return Err(Error::new(
                ErrorKind::NumericValueOutOfRange,
                format!("a result of {name} is out of range for type DOUBLE"),
            ));
        }
        if WITHOUT_INFINITY.contains(&name) && value.is_nan() {
            return Err(Error::new(
                ErrorKind::NumericValueOutOfRange,
                format!("an argument of {name} is out of range"),
            ));
        }
        // cot(0) and atanh(1) are infinite.
        if !matches!(name, "ln" | "log" | "log2" | "log10" | "power" | "sqrt") {
            return Ok(());
        }
        let of = if name == "power" {
            "a negative number to a power that is no integer"
        } else {
            "zero or a negative number"
        };
        Err(Error::new(ErrorKind::DataException, format!("{name} of {of} has no result")))
    }
}

fn floats(values: &ArrayRef) -> DataFusionResult<Float64Array> {
    Ok(cast(values, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
}
