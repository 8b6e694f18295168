//! Names for casts. The planner calls `CAST(x AS BIGINT)` x, so that `sum(x)` and `sum(CAST(x AS BIGINT))` would be two aggregates of one name,
//! which it refuses. Only statements that it has refused are rewritten.

use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{ScalarValue, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr as PlannedExpr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::sql::sqlparser::ast::{Expr, Ident, Statement, Value, VisitMut, VisitorMut};

use super::calls::call;

/// The name of the function, which no statement can spell.
const NAME: &str = "\0named";

/// Gives each cast of a statement a name; returns whether there are any.
pub(super) fn name_casts(statement: &mut Statement) -> bool {
    let mut namer = Namer(false);
    let _: ControlFlow<()> = statement.visit(&mut namer);
    namer.0
}

struct Namer(bool);

impl VisitorMut for Namer {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if matches!(expr, Expr::Cast { .. }) {
            let name = Expr::Value(Value::SingleQuotedString(expr.to_string().replace(NAME, "")).into());
            let cast = std::mem::replace(expr, Expr::Value(Value::Null.into()));
            *expr = call(Ident::with_quote('"', NAME), vec![cast, name]);
            self.0 = true;
        }
        ControlFlow::Continue(())
    }
}

/// The function that is its first argument, and is called by its second.
pub(super) fn named() -> Arc<ScalarUDF> {
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
            [_, PlannedExpr::Literal(ScalarValue::Utf8(Some(name)) | ScalarValue::Utf8View(Some(name)), _)] => Ok(name.clone()),
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
        value.map_or_else(|| internal_err!("a named value is a value"), |value| Ok(ExprSimplifyResult::Simplified(value)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        args.args.into_iter().next().map_or_else(|| internal_err!("a named value is a value"), Ok)
    }
}
