//! A function that gives a value another name.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{ScalarValue, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr as PlannedExpr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

/// The name of the function, which no statement can spell.
pub(crate) const NAME: &str = "\0named";

/// The function that is its first argument, and is called by its second.
pub(crate) fn named() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Named { signature: Signature::any(2, Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Named {
    signature: Signature,
}

impl ScalarUDFImpl for Named {
    fn name(&self) -> &'static str {
        NAME
    }

    fn schema_name(&self, args: &[PlannedExpr]) -> Result<String> {
        match args {
            [_, PlannedExpr::Literal(ScalarValue::Utf8(Some(name)) | ScalarValue::Utf8View(Some(name)), _)] => {
                Ok(name.clone())
            }
            _ => internal_err!("a named value has a name"),
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        args.first().cloned().map_or_else(|| internal_err!("a named value is a value"), Ok)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        args.arg_fields.first().cloned().map_or_else(|| internal_err!("a named value is a value"), Ok)
    }

    fn simplify(&self, args: Vec<PlannedExpr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let value = args.into_iter().next();
        value.map_or_else(
            || internal_err!("a named value is a value"),
            |value| Ok(ExprSimplifyResult::Simplified(value)),
        )
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        args.args.into_iter().next().map_or_else(|| internal_err!("a named value is a value"), Ok)
    }
}
