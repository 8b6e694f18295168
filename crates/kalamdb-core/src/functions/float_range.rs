//! `exp`, `power` and logarithms that fail where there is no result, as in PostgreSQL; DataFusion's give infinities and NaN.

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
            let were_finite = inputs.iter().all(|input| input.is_valid(row) && input.value(row).is_finite());
            if were_finite {
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
        let of = if name == "power" { "a negative number to a power that is no integer" } else { "zero or a negative number" };
        Err(Error::new(ErrorKind::DataException, format!("{name} of {of} has no result")))
    }
}

fn floats(values: &ArrayRef) -> DataFusionResult<Float64Array> {
    Ok(cast(values, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
}
