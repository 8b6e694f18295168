use datafusion::sql::sqlparser::ast::{
    CastKind, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, ObjectName, Value,
};
use kalamdb_types::SqlType;

use super::types::column_type;
use crate::functions::CAST_TO;

/// Turns a CAST to a type that DataFusion does not know, or reads otherwise, into a call of our own function.
pub(super) fn rewrite(expr: &mut Expr) {
    let Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr: value, data_type, array: false, format: None } = expr else { return };
    let Ok(target) = column_type(data_type) else { return };
    if !matches!(target, SqlType::Json | SqlType::Uuid | SqlType::Interval | SqlType::Embedding(_) | SqlType::Array(_) | SqlType::Varchar(_)) {
        return;
    }
    let value = std::mem::replace(&mut **value, Expr::value(Value::Null));
    let name = Expr::value(Value::SingleQuotedString(target.to_string()));
    let args = [value, name].map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))).to_vec();
    *expr = Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(CAST_TO)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    });
}
