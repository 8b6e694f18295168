//! `coalesce`, `greatest` and `least` of a text literal and values of another type: the literal is one of those, as in
//! PostgreSQL; DataFusion makes texts of all of them, or finds no type.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

use super::scalar::is_text;

/// Puts the functions that take texts for other values in place of those that do not.
pub(super) fn wrap_all(builder: &mut SessionStateBuilder) {
    for function in builder.scalar_functions().get_or_insert_default() {
        if matches!(function.name(), "coalesce" | "greatest" | "least") {
            *function = Arc::new(ScalarUDF::new_from_impl(Choice { function: Arc::clone(function) }));
        }
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Choice {
    function: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for Choice {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn aliases(&self) -> &[String] {
        self.function.aliases()
    }

    fn signature(&self) -> &Signature {
        self.function.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.function.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.function.return_field_from_args(args)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let others: Vec<DataType> = types.iter().filter(|data_type| !is_text(data_type)).cloned().collect();
        let has_text = types.iter().any(|data_type| is_text(data_type) && !data_type.is_null());
        match (others.as_slice(), has_text) {
            ([], _) | (_, false) => self.function.coerce_types(types),
            ([of], true) => Ok(vec![of.clone(); types.len()]),
            (_, true) => match self.function.coerce_types(&others)?.first() {
                Some(of) => Ok(vec![of.clone(); types.len()]),
                None => self.function.coerce_types(types),
            },
        }
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        self.function.simplify(args, info)
    }

    fn conditional_arguments<'a>(&self, args: &'a [Expr]) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        self.function.conditional_arguments(args)
    }

    fn short_circuits(&self) -> bool {
        self.function.short_circuits()
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.function.documentation()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.function.invoke_with_args(args)
    }
}
