//! `exp`, `power`, logarithms, roots and inverse functions that fail where there is no result, as in PostgreSQL; DataFusion's give infinities
//! and NaN, and say that they order their results, or fail to.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef, Float64Type};
use datafusion::common::Result as DataFusionResult;
use datafusion::functions::math;
use datafusion::logical_expr::{ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};

use crate::error::{Error, ErrorKind, Result, into_datafusion};

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    [math::exp(), math::power(), math::ln(), math::log(), math::log2(), math::log10()]
        .into_iter()
        .chain([math::sqrt(), math::acos(), math::acosh(), math::asin(), math::atanh()])
        .map(|inner| Arc::new(ScalarUDF::new_from_impl(InRange(inner))))
        .collect()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct InRange(Arc<ScalarUDF>);

impl ScalarUDFImpl for InRange {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn aliases(&self) -> &[String] {
        self.0.aliases()
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn return_type(&self, args: &[DataType]) -> DataFusionResult<DataType> {
        self.0.return_type(args)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        self.0.return_field_from_args(args)
    }

    fn coerce_types(&self, args: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        self.0.coerce_types(args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.0.documentation()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let (inputs, n_rows) = (args.args.clone(), args.number_rows);
        let result = self.0.invoke_with_args(args)?;
        if !result.data_type().is_floating() {
            return Ok(result);
        }
        let is_scalar = matches!(result, ColumnarValue::Scalar(_));
        let values = floats(&result.to_array(if is_scalar { 1 } else { n_rows })?)?;
        // Most results are finite, and their arguments need no look.
        if values.iter().flatten().all(f64::is_finite) {
            return Ok(result);
        }
        let inputs = inputs.iter().map(|input| floats(&input.to_array(values.len())?)).collect::<DataFusionResult<Vec<_>>>()?;
        for (row, value) in values.iter().enumerate() {
            let Some(value) = value.filter(|value| !value.is_finite()) else { continue };
            // What an infinity has no result for is an error too, but for powers.
            let is_strict = value.is_nan() && self.name() != "power";
            let has_result = |input: f64| if is_strict { !input.is_nan() } else { input.is_finite() };
            if inputs.iter().all(|input| input.is_valid(row) && has_result(input.value(row))) {
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
        if matches!(name, "exp" | "power") && value.is_infinite() {
            return Err(Error::new(ErrorKind::NumericValueOutOfRange, format!("a result of {name} is out of range for type DOUBLE")));
        }
        if matches!(name, "acos" | "acosh" | "asin" | "atanh") {
            return match value.is_nan() {
                true => Err(Error::new(ErrorKind::NumericValueOutOfRange, format!("the argument of {name} is out of range"))),
                false => Ok(()),
            };
        }
        let of = if name == "power" { "a negative number to a power that is no integer" } else { "zero or a negative number" };
        Err(Error::new(ErrorKind::DataException, format!("{name} of {of} has no result")))
    }
}

fn floats(values: &ArrayRef) -> DataFusionResult<Float64Array> {
    Ok(cast(values, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
}
