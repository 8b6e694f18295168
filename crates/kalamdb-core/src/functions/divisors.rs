//! `gcd` and `lcm` give the type of their arguments, as in PostgreSQL, and fail where the result is not in its range;
//! DataFusion's give a BIGINT.

use std::sync::Arc;

use datafusion::arrow::compute::{CastOptions, cast, cast_with_options};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::scalar::{is_text, no_such_function};
use crate::error::{Error, ErrorKind, into_datafusion};

/// Puts the functions of a type in place of DataFusion's.
pub(super) fn wrap_all(builder: &mut SessionStateBuilder) {
    for function in builder.scalar_functions().get_or_insert_default() {
        if matches!(function.name(), "gcd" | "lcm") {
            *function = Arc::new(ScalarUDF::new_from_impl(Divisor {
                function: Arc::clone(function),
                signature: Signature::user_defined(Volatility::Immutable),
            }));
        }
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Divisor {
    function: Arc<ScalarUDF>,
    signature: Signature,
}

impl ScalarUDFImpl for Divisor {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, args: &[DataType]) -> Result<Vec<DataType>> {
        let is_small = |data_type: &DataType| matches!(data_type, DataType::Int8 | DataType::Int16);
        let is_taken = |data_type: &DataType| data_type.is_integer() || data_type.is_null() || is_text(data_type);
        if args.len() != 2 || !args.iter().all(is_taken) {
            let fields: Vec<FieldRef> =
                args.iter().map(|data_type| Arc::new(Field::new("", data_type.clone(), true))).collect();
            return Err(into_datafusion(no_such_function(self.name(), &fields)));
        }
        let common = if args.iter().all(is_small) {
            DataType::Int16
        } else if args.iter().all(|data_type| is_small(data_type) || *data_type == DataType::Int32) {
            DataType::Int32
        } else {
            DataType::Int64
        };
        Ok(vec![common; 2])
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        Ok(args.first().cloned().unwrap_or(DataType::Int64))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.function.documentation()
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let data_type = args.return_field.data_type().clone();
        let n_rows = args.number_rows;
        let wide =
            args.args.iter().map(|arg| Ok(ColumnarValue::Array(cast(&arg.to_array(n_rows)?, &DataType::Int64)?)));
        args.args = wide.collect::<Result<_>>()?;
        args.return_field = Arc::new(args.return_field.as_ref().clone().with_data_type(DataType::Int64));
        let results = self.function.invoke_with_args(args)?.to_array(n_rows)?;
        let options = CastOptions { safe: false, ..CastOptions::default() };
        cast_with_options(&results, &data_type, &options).map(ColumnarValue::Array).map_err(|_| {
            let message = format!("the result of {} is out of range", self.name());
            into_datafusion(Error::new(ErrorKind::NumericValueOutOfRange, message))
        })
    }
}
