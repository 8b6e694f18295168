//! Forms of SQL that the planner does not know, written in forms that it does.

use datafusion::sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, CastKind, DataType, ExactNumberInfo, Expr, FunctionArg, FunctionArgExpr,
    FunctionArgumentClause, FunctionArguments, GroupByExpr, Ident, OrderByExpr, SelectItem, Subscript, UnaryOperator,
    Value,
};

use super::row_comparisons;
use crate::sql::parse::call;

/// A CUBE of more members within GROUPING SETS is none.
const MAX_NESTED_CUBE: usize = 8;

/// More than an array has elements.
const MAX_ELEMENTS: u64 = i32::MAX as u64;

/// Rewrites one expression; those inside it come later.
pub(crate) fn simplify(expr: &mut Expr) {
    // Unary plus is nothing, whatever it stands before.
    while let Expr::UnaryOp { op: UnaryOperator::Plus, expr: operand } = expr {
        *expr = taken(operand);
    }
    sign_before_power(expr);
    row_comparisons::compare(expr);
    match expr {
        // The parser's name of `^`, which is the power.
        Expr::BinaryOp { left, op: BinaryOperator::BitwiseXor, right } => *expr = power(left, right),
        // All bits turned over.
        Expr::UnaryOp { op: UnaryOperator::BitwiseNot, expr: operand } => {
            let (operand, one) =
                (Box::new(taken(operand)), Box::new(Expr::Value(Value::Number("1".to_owned(), false).into())));
            let ones = Box::new(Expr::UnaryOp { op: UnaryOperator::Minus, expr: one });
            *expr =
                Expr::Nested(Box::new(Expr::BinaryOp { left: operand, op: BinaryOperator::PGBitwiseXor, right: ones }));
        }
        Expr::BinaryOp { left, op: BinaryOperator::PGStartsWith, right } => {
            *expr = call(Ident::new("starts_with"), vec![taken(left), taken(right)])
        }
        // IN () is false whatever the operand is, NULL as well; the operand still has to have a meaning.
        Expr::InList { expr: operand, list, negated } if list.is_empty() => {
            let operand = taken(operand);
            let op = if *negated { BinaryOperator::Or } else { BinaryOperator::And };
            let left = Box::new(Expr::Value(Value::Boolean(*negated).into()));
            *expr =
                Expr::Nested(Box::new(Expr::BinaryOp { left, op, right: Box::new(Expr::IsNull(Box::new(operand))) }));
        }
        Expr::CompoundFieldAccess { access_chain, .. } => access_chain.iter_mut().for_each(bound_slice),
        // The planner forgets the queries around it for what stands in the brackets.
        Expr::Array(array) => *expr = call(Ident::new("make_array"), std::mem::take(&mut array.elem)),
        Expr::Function(function) => order_by_no_position(&mut function.args),
        _ => {}
    }
}

/// Gives a slice without bounds those of an array.
fn bound_slice(access: &mut AccessExpr) {
    if let AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, .. }) = access {
        let number = |number: u64| Expr::Value(Value::Number(number.to_string(), false).into());
        lower_bound.get_or_insert_with(|| number(1));
        upper_bound.get_or_insert_with(|| number(MAX_ELEMENTS));
    }
}

/// A number in an aggregate's ORDER BY is a constant, by which nothing is sorted. The planner takes it for the position
/// of a column.
fn order_by_no_position(args: &mut FunctionArguments) {
    let FunctionArguments::List(list) = args else { return };
    let is_number =
        |by: &OrderByExpr| matches!(&by.expr, Expr::Value(value) if matches!(value.value, Value::Number(..)));
    list.clauses.retain_mut(|clause| {
        let FunctionArgumentClause::OrderBy(by) = clause else { return true };
        by.retain(|by| !is_number(by));
        !by.is_empty()
    });
}

/// A sign belongs to the operand of a power: `-2 ^ 2` is 4. The parser takes it for the sign of the power.
fn sign_before_power(expr: &mut Expr) {
    let Expr::UnaryOp { op: UnaryOperator::Minus, expr: signed } = expr else { return };
    if !matches!(signed.as_ref(), Expr::BinaryOp { op: BinaryOperator::BitwiseXor, .. }) {
        return;
    }
    let mut power = taken(signed);
    let mut base = &mut power;
    while let Expr::BinaryOp { left, op: BinaryOperator::BitwiseXor, .. } = base {
        base = left.as_mut();
    }
    *base = Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(taken(base)) };
    *expr = power;
}

/// `power(CAST(base AS DOUBLE), CAST(exponent AS DOUBLE))`
fn power(base: &mut Expr, exponent: &mut Expr) -> Expr {
    let argument = |operand: &mut Expr| Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(taken(operand)),
        data_type: DataType::Double(ExactNumberInfo::None),
        array: false,
        format: None,
    };
    call(Ident::new("power"), vec![argument(base), argument(exponent)])
}

/// Rewrites what stands in parentheses in GROUP BY: `GROUP BY (a, b)` groups by both, and `ROLLUP (a, (b, c))` has no
/// set with b alone. A number in a grouping set is that of an output column, as it is by itself.
pub(crate) fn simplify_groups(groups: &mut GroupByExpr, items: &[SelectItem]) {
    let GroupByExpr::Expressions(exprs, _) = groups else { return };
    for expr in exprs.iter_mut() {
        if let Expr::GroupingSets(sets) = expr {
            *sets = std::mem::take(sets).into_iter().flat_map(nested_sets).collect();
        }
        if let Expr::GroupingSets(sets) | Expr::Rollup(sets) | Expr::Cube(sets) = expr {
            sets.iter_mut().flatten().for_each(|member| name_position(member, items));
        }
    }
    // One group of all rows; beside others it says nothing.
    let is_all = |expr: &Expr| matches!(expr, Expr::Tuple(exprs) if exprs.is_empty());
    if !exprs.is_empty() && exprs.iter().all(is_all) {
        *exprs = vec![Expr::GroupingSets(vec![Vec::new()])];
    }
    *exprs = std::mem::take(exprs).into_iter().filter(|expr| !is_all(expr)).flat_map(group).collect();
}

fn name_position(member: &mut Expr, items: &[SelectItem]) {
    let Expr::Value(value) = member else { return };
    let Value::Number(number, _) = &value.value else { return };
    let item = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1)).and_then(|at| items.get(at));
    if let Some(SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item {
        *member = expr.clone();
    }
}

/// The sets of a ROLLUP or CUBE within GROUPING SETS, which the parser takes for a function there.
fn nested_sets(set: Vec<Expr>) -> Vec<Vec<Expr>> {
    let [Expr::Function(function)] = set.as_slice() else { return vec![set] };
    let name = function.name.to_string();
    let (is_rollup, is_cube) = (name.eq_ignore_ascii_case("rollup"), name.eq_ignore_ascii_case("cube"));
    let FunctionArguments::List(list) = &function.args else { return vec![set] };
    let member = |arg: &FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Tuple(exprs))) => Some(exprs.clone()),
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(vec![expr.clone()]),
        _ => None,
    };
    match list.args.iter().map(member).collect::<Option<Vec<_>>>() {
        Some(members) if is_rollup => prefixes(&members),
        Some(members) if is_cube && members.len() <= MAX_NESTED_CUBE => subsets(&members),
        _ => vec![set],
    }
}

/// The longest first.
fn prefixes(members: &[Vec<Expr>]) -> Vec<Vec<Expr>> {
    (0..=members.len()).rev().map(|n| members.iter().take(n).flatten().cloned().collect()).collect()
}

fn subsets(members: &[Vec<Expr>]) -> Vec<Vec<Expr>> {
    let has = |subset: usize, at: usize| subset >> at & 1 == 0;
    let subset = |subset: usize| {
        members.iter().enumerate().filter(|(at, _)| has(subset, *at)).flat_map(|(_, set)| set.clone()).collect()
    };
    (0..1_usize << members.len()).map(subset).collect()
}

fn group(expr: Expr) -> Vec<Expr> {
    let has_tuples = |sets: &[Vec<Expr>]| sets.iter().any(|set| set.len() != 1);
    match expr {
        Expr::Tuple(exprs) => exprs,
        Expr::Rollup(sets) if has_tuples(&sets) || has_repeated(&sets) => vec![Expr::GroupingSets(prefixes(&sets))],
        // How many sets there are has been checked before.
        Expr::Cube(sets) if has_tuples(&sets) || has_repeated(&sets) => vec![Expr::GroupingSets(subsets(&sets))],
        other => vec![other],
    }
}

/// Whether something may stand in a ROLLUP or CUBE twice, which DataFusion takes for two columns of one name; in
/// GROUPING SETS it does not.
fn has_repeated(sets: &[Vec<Expr>]) -> bool {
    let is_same = |left: &Expr, right: &Expr| match (column_of(left), column_of(right)) {
        // `a` may be `t.a`; if it is not, the sets are as good.
        (Some(left), Some(right)) => left.value.eq_ignore_ascii_case(&right.value),
        _ => left == right,
    };
    let exprs: Vec<&Expr> = sets.iter().flatten().collect();
    exprs.iter().enumerate().any(|(at, expr)| exprs.iter().take(at).any(|before| is_same(before, expr)))
}

fn column_of(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Identifier(name) => Some(name),
        Expr::CompoundIdentifier(names) => names.last(),
        Expr::Nested(expr) => column_of(expr),
        _ => None,
    }
}

fn taken(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, Expr::Value(Value::Null.into()))
}
