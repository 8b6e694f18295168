//! Operators that the planner does not know, or takes for something else than PostgreSQL does, as functions.

use datafusion::sql::sqlparser::ast::{
    Array, BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, UnaryOperator,
    Value,
};

use crate::functions::arrays::{COMPARE_ALL, COMPARE_ANY};
use crate::functions::patterns::{LIKE_ESCAPE, REGEXP_LIKE, SIMILAR_TO_ESCAPE, SUBSTRING_PATTERN};
use crate::sql::parse::call;

/// Writes `x LIKE ANY (array)` and `x LIKE ALL (array)` as comparisons of the operator `~~`.
pub(crate) fn quantify_like(expr: &mut Expr) {
    use BinaryOperator as B;
    let (negated, any, operand, pattern, op, not) = match expr {
        Expr::Like { negated, any, expr, pattern, escape_char: None } => {
            (*negated, *any, expr, pattern, B::PGLikeMatch, B::PGNotLikeMatch)
        }
        Expr::ILike { negated, any, expr, pattern, escape_char: None } => {
            (*negated, *any, expr, pattern, B::PGILikeMatch, B::PGNotILikeMatch)
        }
        _ => return,
    };
    let array = if any { Some(pattern.as_mut()) } else { argument_of_all(pattern) };
    let Some(array) = array else { return };
    let (left, right) = (Box::new(taken(operand)), Box::new(taken(array)));
    let compare_op = if negated { not } else { op };
    *expr = if any {
        Expr::AnyOp { left, compare_op, right, is_some: false }
    } else {
        Expr::AllOp { left, compare_op, right }
    };
}

/// The parser takes `ALL (array)` for a function behind LIKE.
fn argument_of_all(pattern: &mut Expr) -> Option<&mut Expr> {
    let Expr::Function(function) = pattern else { return None };
    let is_all = function.name.to_string().eq_ignore_ascii_case("all");
    match &mut function.args {
        FunctionArguments::List(list) if is_all => match list.args.as_mut_slice() {
            [FunctionArg::Unnamed(FunctionArgExpr::Expr(array))] => Some(array),
            _ => None,
        },
        _ => None,
    }
}

/// Has `~` stand before all of the sum that follows it, as in PostgreSQL: the parser takes `~a + b` for `(~a) + b`.
fn widen_bitwise_not(expr: &mut Expr) {
    let Expr::BinaryOp { left, op, right } = expr else { return };
    if !is_sum(op) {
        return;
    }
    widen_bitwise_not(left);
    if append_to_not(left, op, right) {
        *expr = taken(left);
    }
}

/// Moves a summand under the `~` that a sum ends with, if it does.
fn append_to_not(sum: &mut Expr, op: &BinaryOperator, summand: &mut Expr) -> bool {
    match sum {
        Expr::BinaryOp { op: inner, right, .. } if is_sum(inner) => append_to_not(right, op, summand),
        Expr::UnaryOp { op: UnaryOperator::BitwiseNot, expr: operand } => {
            if !append_to_not(operand, op, summand) {
                let (left, right) = (Box::new(taken(operand)), Box::new(taken(summand)));
                **operand = Expr::BinaryOp { left, op: op.clone(), right };
            }
            true
        }
        _ => false,
    }
}

fn is_sum(op: &BinaryOperator) -> bool {
    matches!(op, BinaryOperator::Plus | BinaryOperator::Minus)
}

/// Rewrites one expression; those inside it come later.
pub(crate) fn rewrite(expr: &mut Expr) {
    widen_bitwise_not(expr);
    quantify_like(expr);
    match expr {
        Expr::BinaryOp { left, op, right } => {
            let (negated, ignores_case) = match op {
                BinaryOperator::PGRegexMatch => (false, false),
                BinaryOperator::PGRegexIMatch => (false, true),
                BinaryOperator::PGRegexNotMatch => (true, false),
                BinaryOperator::PGRegexNotIMatch => (true, true),
                _ => return,
            };
            let letters = ignores_case.then(|| text("i"));
            let args = [taken(left), taken(right)].into_iter().chain(letters).collect();
            *expr = negated_if(negated, call(Ident::new(REGEXP_LIKE), args));
        }
        // The planner looks for the type of a literal in comparisons that it plans as operators.
        Expr::IsDistinctFrom(left, right) if is_text(left) || is_text(right) => {
            let compared = Expr::BinaryOp {
                left: Box::new(taken(left)),
                op: BinaryOperator::NotEq,
                right: Box::new(taken(right)),
            };
            *expr = Expr::IsNotFalse(Box::new(Expr::Nested(Box::new(compared))));
        }
        Expr::IsNotDistinctFrom(left, right) if is_text(left) || is_text(right) => {
            let compared =
                Expr::BinaryOp { left: Box::new(taken(left)), op: BinaryOperator::Eq, right: Box::new(taken(right)) };
            *expr = Expr::IsTrue(Box::new(Expr::Nested(Box::new(compared))));
        }
        Expr::SimilarTo { negated, expr: value, pattern, escape_char } => {
            let escape = escape_char.take().map(Expr::Value);
            let pattern = call(Ident::new(SIMILAR_TO_ESCAPE), std::iter::once(taken(pattern)).chain(escape).collect());
            *expr = negated_if(*negated, call(Ident::new(REGEXP_LIKE), vec![taken(value), pattern]));
        }
        Expr::Like { pattern, escape_char, .. } | Expr::ILike { pattern, escape_char, .. } => {
            if let Some(escape) = escape_char.take() {
                **pattern = call(Ident::new(LIKE_ESCAPE), vec![taken(pattern), Expr::Value(escape)]);
            }
        }
        Expr::Substring { expr: value, substring_from: Some(from), substring_for: None, .. } if is_text(from) => {
            *expr = call(Ident::new(SUBSTRING_PATTERN), vec![taken(value), taken(from)]);
        }
        Expr::UnaryOp { op: UnaryOperator::BitwiseNot, expr: operand } => {
            let ones = Expr::UnaryOp {
                op: UnaryOperator::Minus,
                expr: Box::new(Expr::value(Value::Number("1".to_owned(), false))),
            };
            let operand = Box::new(Expr::Nested(Box::new(taken(operand))));
            *expr = Expr::Nested(Box::new(Expr::BinaryOp {
                left: operand,
                op: BinaryOperator::PGBitwiseXor,
                right: Box::new(ones),
            }));
        }
        Expr::AnyOp { left, compare_op, right, .. } => {
            if let Some(compared) = quantified(left, compare_op, right, COMPARE_ANY) {
                *expr = compared;
            }
        }
        Expr::AllOp { left, compare_op, right } => {
            if let Some(compared) = quantified(left, compare_op, right, COMPARE_ALL) {
                *expr = compared;
            }
        }
        Expr::Function(function)
            if function.name.0.len() == 1 && function.name.to_string().eq_ignore_ascii_case("mod") =>
        {
            if let FunctionArguments::List(list) = &mut function.args
                && let [
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(left)),
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(right)),
                ] = list.args.as_mut_slice()
            {
                let nested = |operand: &mut Expr| Box::new(Expr::Nested(Box::new(taken(operand))));
                *expr = Expr::Nested(Box::new(Expr::BinaryOp {
                    left: nested(left),
                    op: BinaryOperator::Modulo,
                    right: nested(right),
                }));
            }
        }
        Expr::Function(function)
            if function.name.0.len() == 1 && function.name.to_string().eq_ignore_ascii_case("sign") =>
        {
            function.name = ObjectName::from(vec![Ident::new("signum")]);
            // NaN has none.
            *expr = call(Ident::new("nanvl"), vec![taken(expr), Expr::value(Value::Number("0".to_owned(), false))]);
        }
        _ => {}
    }
}

/// A comparison with all or any of an array; subqueries and parameters are left to the planner.
fn quantified(left: &mut Expr, op: &BinaryOperator, right: &mut Expr, function: &str) -> Option<Expr> {
    let mut right = right;
    while let Expr::Nested(inner) = right {
        right = inner;
    }
    let is_parameter = matches!(right, Expr::Value(value) if matches!(value.value, Value::Placeholder(_)));
    if matches!(right, Expr::Subquery(_)) || is_parameter {
        return None;
    }
    let is_comparison = {
        use BinaryOperator as B;
        matches!(
            op,
            B::Eq
                | B::NotEq
                | B::Lt
                | B::LtEq
                | B::Gt
                | B::GtEq
                | B::PGLikeMatch
                | B::PGNotLikeMatch
                | B::PGILikeMatch
                | B::PGNotILikeMatch
        )
    };
    if !is_comparison {
        return None;
    }
    let left = taken(left);
    let is_any = function == COMPARE_ANY;
    // The planner knows how to look for a value in a list.
    if let Expr::Array(Array { elem, .. }) = right
        && !elem.iter().any(|element| matches!(element, Expr::Array(_)))
        && (*op == BinaryOperator::Eq && is_any || *op == BinaryOperator::NotEq && !is_any)
    {
        let list = std::mem::take(elem);
        return Some(Expr::Nested(Box::new(Expr::InList {
            expr: Box::new(Expr::Nested(Box::new(left))),
            list,
            negated: !is_any,
        })));
    }
    // An array that is written as a text is of the type of the left side.
    let written = is_text(right).then(|| Expr::value(Value::Boolean(true)));
    Some(call(Ident::new(function), [left, taken(right), text(&op.to_string())].into_iter().chain(written).collect()))
}

fn negated_if(negated: bool, expr: Expr) -> Expr {
    if negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(expr) } } else { expr }
}

fn is_text(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if matches!(value.value, Value::SingleQuotedString(_) | Value::EscapedStringLiteral(_)))
}

fn text(text: &str) -> Expr {
    Expr::value(Value::SingleQuotedString(text.to_owned()))
}

fn taken(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, Expr::Value(Value::Null.into()))
}
