//! Names for casts. The planner calls `CAST(x AS BIGINT)` x, so that `sum(x)` and `sum(CAST(x AS BIGINT))` would be two
//! aggregates of one name, which it refuses. Only statements that it has refused are rewritten.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Function, Ident, Statement, Value, VisitMut, VisitorMut};

use crate::functions::{CAST_TO, TRY_CAST_TO};
use crate::sql::analyzer::NAME;
use crate::sql::parse::call;

/// Gives each cast of a statement a name; returns whether there are any.
pub(crate) fn name_casts(statement: &mut Statement) -> bool {
    let mut namer = Namer(false);
    let _: ControlFlow<()> = statement.visit(&mut namer);
    namer.0
}

struct Namer(bool);

impl VisitorMut for Namer {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let is_call = |function: &Function| {
            let name = function.name.to_string();
            name == CAST_TO || name == TRY_CAST_TO
        };
        if matches!(expr, Expr::Cast { .. }) || matches!(expr, Expr::Function(function) if is_call(function)) {
            let name = Expr::Value(Value::SingleQuotedString(expr.to_string().replace(NAME, "")).into());
            let cast = std::mem::replace(expr, Expr::Value(Value::Null.into()));
            *expr = call(Ident::with_quote('"', NAME), vec![cast, name]);
            self.0 = true;
        }
        ControlFlow::Continue(())
    }
}
