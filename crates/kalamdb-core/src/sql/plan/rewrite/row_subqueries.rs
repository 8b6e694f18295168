//! Subqueries of several columns, `(a, b) IN (SELECT c, d ...)`, and those that are made an array, `ARRAY(SELECT ...)`,
//! written as subqueries of one column.

use datafusion::sql::sqlparser::ast::{
    Assignment, AssignmentTarget, BinaryOperator, Expr, Function, FunctionArguments, Ident, Query, Select, SelectItem,
    SetExpr, TableAlias, TableAliasColumnDef, TableFactor, Value,
};

use super::from_names::select_from_derived;
use super::row_comparisons::row_of;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::parse::call;

/// The name of the subquery, and the beginning of the names of its columns.
const ROW: &str = "__row";

/// Rewrites an expression; those inside it come later.
///
/// # Errors
/// `syntax_error` if the subquery has another number of columns than the row.
pub(crate) fn rewrite(expr: &mut Expr) -> Result<()> {
    let new = match expr {
        // TRUE IN (SELECT (a, b) = (c, d)): true, false and unknown as IN has them.
        Expr::InSubquery { expr: row, subquery, negated } => match row_of(row) {
            Some(row) => compared(row, BinaryOperator::Eq, subquery)?.map(|subquery| Expr::InSubquery {
                expr: Box::new(truth()),
                subquery,
                negated: *negated,
            }),
            None => None,
        },
        Expr::AnyOp { left, compare_op, right, is_some } => match (row_of(left), subquery_of(right)) {
            (Some(row), Some(subquery)) => compared(row, compare_op.clone(), subquery)?.map(|subquery| Expr::AnyOp {
                left: Box::new(truth()),
                compare_op: BinaryOperator::Eq,
                right: Box::new(Expr::Subquery(subquery)),
                is_some: *is_some,
            }),
            _ => None,
        },
        Expr::AllOp { left, compare_op, right } => match (row_of(left), subquery_of(right)) {
            (Some(row), Some(subquery)) => compared(row, compare_op.clone(), subquery)?.map(|subquery| Expr::AllOp {
                left: Box::new(truth()),
                compare_op: BinaryOperator::Eq,
                right: Box::new(Expr::Subquery(subquery)),
            }),
            _ => None,
        },
        Expr::BinaryOp { left, op, right } if is_comparison(op) => match (row_of(left), subquery_of(right)) {
            (Some(row), Some(subquery)) => compared(row, op.clone(), subquery)?.map(Expr::Subquery),
            _ => None,
        },
        Expr::Function(Function { name, args: FunctionArguments::Subquery(subquery), .. })
            if name.to_string().eq_ignore_ascii_case("array") =>
        {
            array(subquery)?
        }
        _ => None,
    };
    if let Some(new) = new {
        *expr = new;
    }
    Ok(())
}

/// Writes `(a, b) IN (SELECT c, d ...)` as EXISTS where it is a condition of its own: unknown is false there, and
/// EXISTS a join.
///
/// # Errors
/// `syntax_error` if the subquery has another number of columns than the row.
pub(crate) fn join(select: &mut Select) -> Result<()> {
    match &mut select.selection {
        Some(condition) => join_in(condition),
        None => Ok(()),
    }
}

fn join_in(condition: &mut Expr) -> Result<()> {
    // A long chain of AND leans to the left.
    let mut next = Some(condition);
    while let Some(condition) = next.take() {
        match condition {
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                exists(right)?;
                next = Some(left);
            }
            Expr::Nested(inner) => next = Some(inner),
            other => exists(other)?,
        }
    }
    Ok(())
}

fn exists(condition: &mut Expr) -> Result<()> {
    let Expr::InSubquery { expr, subquery, negated: false } = condition else { return Ok(()) };
    let Some(row) = row_of(expr) else { return Ok(()) };
    let equal = compare(&row, BinaryOperator::Eq);
    if let Some(mut subquery) = over(subquery, row.len(), Expr::Value(Value::Number("1".to_owned(), false).into()))? {
        if let SetExpr::Select(select) = subquery.body.as_mut() {
            select.selection = Some(equal);
        }
        *condition = Expr::Exists { subquery, negated: false };
    }
    Ok(())
}

/// The assignments with `SET (a, b) = (SELECT c, d ...)` and `SET (a, b) = ROW (c, d)` written as those of one column
/// each.
///
/// # Errors
/// `syntax_error` if the subquery has another number of columns than are set.
pub(crate) fn assign_each(assignments: &[Assignment]) -> Result<Vec<Assignment>> {
    let mut each = Vec::with_capacity(assignments.len());
    for assignment in assignments {
        match (&assignment.target, subquery_of(&assignment.value), row_of(&assignment.value)) {
            (AssignmentTarget::Tuple(names), Some(subquery), _) => {
                for (at, name) in names.iter().enumerate() {
                    if let Some(column) = over(subquery, names.len(), member(at))? {
                        each.push(Assignment {
                            target: AssignmentTarget::ColumnName(name.clone()),
                            value: Expr::Subquery(column),
                        });
                    }
                }
            }
            (AssignmentTarget::Tuple(_), None, Some(row)) => {
                each.push(Assignment { target: assignment.target.clone(), value: Expr::Tuple(row) });
            }
            _ => each.push(assignment.clone()),
        }
    }
    Ok(each)
}

/// `coalesce((SELECT array_agg(c) FROM (subquery) AS s (c)), ARRAY[])`
fn array(subquery: &Query) -> Result<Option<Expr>> {
    let all = call(Ident::new("array_agg"), vec![member(0)]);
    let empty = call(Ident::new("make_array"), Vec::new());
    Ok(over(subquery, 1, all)?.map(|all| call(Ident::new("coalesce"), vec![Expr::Subquery(all), empty])))
}

/// `SELECT (a, b) op (s.c, s.d) FROM (subquery) AS s (c, d)`
fn compared(row: Vec<Expr>, op: BinaryOperator, subquery: &Query) -> Result<Option<Box<Query>>> {
    over(subquery, row.len(), compare(&row, op))
}

fn compare(row: &[Expr], op: BinaryOperator) -> Expr {
    let members = (0..row.len()).map(member).collect();
    Expr::BinaryOp { left: Box::new(Expr::Tuple(row.to_vec())), op, right: Box::new(Expr::Tuple(members)) }
}

/// `SELECT item FROM (subquery) AS s (c, d)`
fn over(subquery: &Query, n_columns: usize, item: Expr) -> Result<Option<Box<Query>>> {
    if let Some(n_own) = n_columns_of(&subquery.body).filter(|n_own| *n_own != n_columns) {
        let what = if n_own > n_columns { "many" } else { "few" };
        return Err(Error::new(ErrorKind::SyntaxError, format!("the subquery has too {what} columns")));
    }
    let Some(mut query) = select_from_derived() else { return Ok(None) };
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.projection = vec![SelectItem::UnnamedExpr(item)];
        if let Some(TableFactor::Derived { subquery: slot, alias, .. }) =
            select.from.first_mut().map(|from| &mut from.relation)
        {
            **slot = subquery.clone();
            let columns = (0..n_columns).map(|at| TableAliasColumnDef { name: column(at), data_type: None }).collect();
            *alias = Some(TableAlias { explicit: true, name: Ident::new(ROW), columns, at: None });
        }
    }
    Ok(Some(query))
}

/// The number of a query's columns, if it has no `*`.
fn n_columns_of(body: &SetExpr) -> Option<usize> {
    match body {
        SetExpr::Select(select) => {
            let is_one =
                |item: &SelectItem| matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. });
            select.projection.iter().all(is_one).then_some(select.projection.len())
        }
        SetExpr::Query(query) => n_columns_of(&query.body),
        SetExpr::SetOperation { left, .. } => n_columns_of(left),
        _ => None,
    }
}

fn column(at: usize) -> Ident {
    Ident::new(format!("{ROW}_{}", at + 1))
}

fn member(at: usize) -> Expr {
    Expr::CompoundIdentifier(vec![Ident::new(ROW), column(at)])
}

fn subquery_of(expr: &Expr) -> Option<&Query> {
    match expr {
        Expr::Subquery(query) => Some(query),
        Expr::Nested(inner) => subquery_of(inner),
        _ => None,
    }
}

fn truth() -> Expr {
    Expr::Value(Value::Boolean(true).into())
}

fn is_comparison(op: &BinaryOperator) -> bool {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}
