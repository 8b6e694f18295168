//! `x -> x + 1` among the arguments of a function that takes functions: there `->` is no operator on JSON, which is
//! what the parser reads it as.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, LambdaFunction, LambdaFunctionParameter,
    LambdaSyntax, OneOrManyWithParens, Value,
};

/// Writes the arguments that are functions as such.
pub(crate) fn read(args: &mut FunctionArguments) {
    let FunctionArguments::List(list) = args else { return };
    // The first argument is the array.
    for arg in list.args.iter_mut().skip(1) {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = arg else { continue };
        // What is behind the arrow binds looser than it, and is the function's body: the arrow is at the left end of
        // the tree.
        let Some(arrow) = left_end(expr) else { continue };
        let Expr::BinaryOp { left, right, .. } = arrow else { continue };
        let (params, body) = (parameters(left), std::mem::replace(right.as_mut(), Expr::Value(Value::Null.into())));
        if let Some(params) = params {
            *arrow = body;
            let body = Box::new(std::mem::replace(expr, Expr::Value(Value::Null.into())));
            *expr = Expr::Lambda(LambdaFunction { params, body, syntax: LambdaSyntax::Arrow });
        }
    }
}

/// The leftmost arrow of an expression, if names stand before it.
fn left_end(expr: &mut Expr) -> Option<&mut Expr> {
    if let Expr::BinaryOp { left, op: BinaryOperator::Arrow, .. } = &*expr
        && parameters(left).is_some()
    {
        return Some(expr);
    }
    match expr {
        Expr::BinaryOp { left, .. } => left_end(left),
        Expr::IsNull(left)
        | Expr::IsNotNull(left)
        | Expr::IsTrue(left)
        | Expr::IsNotTrue(left)
        | Expr::IsFalse(left)
        | Expr::IsNotFalse(left)
        | Expr::IsDistinctFrom(left, _)
        | Expr::IsNotDistinctFrom(left, _)
        | Expr::InList { expr: left, .. }
        | Expr::Between { expr: left, .. }
        | Expr::Like { expr: left, .. }
        | Expr::ILike { expr: left, .. } => left_end(left),
        _ => None,
    }
}

/// The parameters that a name, or names in parentheses, are.
fn parameters(expr: &Expr) -> Option<OneOrManyWithParens<LambdaFunctionParameter>> {
    let parameter = |expr: &Expr| match expr {
        Expr::Identifier(name) => Some(LambdaFunctionParameter { name: name.clone(), data_type: None }),
        _ => None,
    };
    match expr {
        Expr::Tuple(names) => names.iter().map(parameter).collect::<Option<Vec<_>>>().map(OneOrManyWithParens::Many),
        Expr::Nested(name) => parameter(name).map(OneOrManyWithParens::One),
        name => parameter(name).map(OneOrManyWithParens::One),
    }
}
