//! Comparisons of rows, `(a, b) = (1, 2)`, written as comparisons of their members: DataFusion compares them as
//! structs, for which NULL is a value like any other.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator, Value,
};

/// From how many rows on a list is looked through as structs where no member is NULL, which is faster.
const LONG_LIST: usize = 32;

/// Rewrites a comparison of rows; those inside it come later.
pub(super) fn compare(expr: &mut Expr) {
    let compared = match expr {
        Expr::Nested(_) => None,
        Expr::BinaryOp { left, op, right } => rows(left, right).and_then(|(left, right)| members(&left, op, &right)),
        Expr::IsDistinctFrom(left, right) => rows(left, right).map(|(left, right)| {
            each(&left, &right, &BinaryOperator::Or, |l, r| Expr::IsDistinctFrom(Box::new(l), Box::new(r)))
        }),
        Expr::IsNotDistinctFrom(left, right) => rows(left, right).map(|(left, right)| {
            each(&left, &right, &BinaryOperator::And, |l, r| Expr::IsNotDistinctFrom(Box::new(l), Box::new(r)))
        }),
        Expr::IsNull(row) => {
            row_of(row).map(|row| all(row.into_iter().map(|member| Expr::IsNull(Box::new(member))).collect()))
        }
        Expr::IsNotNull(row) => {
            row_of(row).map(|row| all(row.into_iter().map(|member| Expr::IsNotNull(Box::new(member))).collect()))
        }
        Expr::Between { expr: row, negated, low, high } if row_of(row).is_some() => {
            let not_before = binary(row.as_ref().clone(), BinaryOperator::GtEq, low.as_ref().clone());
            let not_behind = binary(row.as_ref().clone(), BinaryOperator::LtEq, high.as_ref().clone());
            Some(negated_if(*negated, binary(not_before, BinaryOperator::And, not_behind)))
        }
        Expr::InList { expr: row, list, negated } => row_of(row).and_then(|row| within(&row, list, *negated)),
        _ => None,
    };
    if let Some(compared) = compared {
        *expr = Expr::Nested(Box::new(compared));
    }
}

/// The members of a row. One member in parentheses is no row.
pub(super) fn row_of(expr: &Expr) -> Option<Vec<Expr>> {
    Some(row_members(expr)?.into_iter().cloned().collect())
}

/// The same, where they are.
pub(crate) fn row_members(expr: &Expr) -> Option<Vec<&Expr>> {
    match expr {
        Expr::Tuple(members) if members.len() > 1 => Some(members.iter().collect()),
        Expr::Function(Function { name, args: FunctionArguments::List(list), over: None, filter: None, .. })
            if name.to_string().eq_ignore_ascii_case("row") && !list.args.is_empty() =>
        {
            list.args.iter().map(argument).collect()
        }
        Expr::Nested(inner) => row_members(inner),
        _ => None,
    }
}

fn argument(arg: &FunctionArg) -> Option<&Expr> {
    match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    }
}

/// Two rows of one length.
fn rows(left: &Expr, right: &Expr) -> Option<(Vec<Expr>, Vec<Expr>)> {
    let (left, right) = (row_of(left)?, row_of(right)?);
    (left.len() == right.len()).then_some((left, right))
}

fn members(left: &[Expr], op: &BinaryOperator, right: &[Expr]) -> Option<Expr> {
    let compare = |op: &BinaryOperator, l: Expr, r: Expr| binary(l, op.clone(), r);
    match op {
        BinaryOperator::Eq => Some(each(left, right, &BinaryOperator::And, |l, r| compare(op, l, r))),
        BinaryOperator::NotEq => Some(each(left, right, &BinaryOperator::Or, |l, r| compare(op, l, r))),
        BinaryOperator::Lt | BinaryOperator::LtEq => ordered(left, &BinaryOperator::Lt, op, right),
        BinaryOperator::Gt | BinaryOperator::GtEq => ordered(left, &BinaryOperator::Gt, op, right),
        _ => None,
    }
}

/// The first members that differ decide; the last are compared as the rows are.
fn ordered(left: &[Expr], strict: &BinaryOperator, op: &BinaryOperator, right: &[Expr]) -> Option<Expr> {
    let mut pairs = left.iter().cloned().zip(right.iter().cloned()).rev();
    let (last_left, last_right) = pairs.next()?;
    let last = binary(last_left, op.clone(), last_right);
    Some(pairs.fold(last, |rest, (l, r)| {
        let equal = binary(l.clone(), BinaryOperator::Eq, r.clone());
        let decided = binary(l, strict.clone(), r);
        nested(binary(decided, BinaryOperator::Or, binary(equal, BinaryOperator::And, rest)))
    }))
}

/// `row IN (row, ...)`
fn within(row: &[Expr], list: &[Expr], negated: bool) -> Option<Expr> {
    let rows =
        list.iter().map(|item| row_of(item).filter(|item| item.len() == row.len())).collect::<Option<Vec<_>>>()?;
    let equal =
        |item: &Vec<Expr>| nested(each(row, item, &BinaryOperator::And, |l, r| binary(l, BinaryOperator::Eq, r)));
    let found = balanced(rows.iter().map(equal).collect(), &BinaryOperator::Or)?;
    let is_plain = |member: &Expr| matches!(member, Expr::Value(value) if value.value != Value::Null);
    if rows.len() < LONG_LIST || !rows.iter().flatten().all(is_plain) {
        return Some(negated_if(negated, nested(found)));
    }
    // As structs, wrapped so that this is not rewritten again: a row in parentheses is the row, a struct is none.
    let structure = |members: &[Expr]| {
        crate::sql::parse::call(datafusion::sql::sqlparser::ast::Ident::new("struct"), members.to_vec())
    };
    let listed = Expr::InList {
        expr: Box::new(structure(row)),
        list: rows.iter().map(|row| structure(row)).collect(),
        negated: false,
    };
    let known = all(row.iter().map(|member| Expr::IsNotNull(Box::new(member.clone()))).collect());
    let unknown = negated_if(true, nested(known.clone()));
    // known AND listed, or else what the members say
    let quick = binary(nested(known), BinaryOperator::And, listed);
    let slow = binary(unknown, BinaryOperator::And, nested(found));
    Some(negated_if(negated, nested(binary(nested(quick), BinaryOperator::Or, nested(slow)))))
}

fn each(left: &[Expr], right: &[Expr], joined: &BinaryOperator, compare: impl Fn(Expr, Expr) -> Expr) -> Expr {
    let pairs = left.iter().cloned().zip(right.iter().cloned()).map(|(l, r)| compare(l, r)).collect();
    balanced(pairs, joined).unwrap_or_else(|| Expr::Value(Value::Null.into()))
}

fn all(conditions: Vec<Expr>) -> Expr {
    balanced(conditions, &BinaryOperator::And).unwrap_or_else(|| Expr::Value(Value::Null.into()))
}

/// The conditions joined as a tree, which is not deep however many they are.
fn balanced(mut conditions: Vec<Expr>, op: &BinaryOperator) -> Option<Expr> {
    if conditions.len() < 2 {
        return conditions.pop();
    }
    let right = conditions.split_off(conditions.len() / 2);
    Some(binary(nested(balanced(conditions, op)?), op.clone(), nested(balanced(right, op)?)))
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

fn nested(expr: Expr) -> Expr {
    Expr::Nested(Box::new(expr))
}

fn negated_if(negated: bool, expr: Expr) -> Expr {
    if negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(nested(expr)) } } else { expr }
}
