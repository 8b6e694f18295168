//! Parts of queries that the planner does not know, written as parts that it does.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, Ident, LimitClause, OrderBy, OrderByExpr,
    OrderByKind, Query, SelectItem, SetExpr, TableFactor, Value, WindowSpec, WindowType, visit_expressions,
};

use super::from_names::select_from_derived;
use super::grouping::may_group;
use super::using::merges_columns;
use crate::error::{Error, Result};
use crate::sql::parse::{call, fold};

/// Writes `FETCH FIRST n ROWS ONLY` as LIMIT; WITH TIES as a condition on ranks.
pub(crate) fn limit_by_fetch(query: &mut Query) -> Result<()> {
    let Some(fetch) = query.fetch.take() else { return Ok(()) };
    if fetch.percent {
        return Err(Error::unsupported("FETCH with PERCENT"));
    }
    let rows = fetch.quantity.unwrap_or_else(|| Expr::Value(Value::Number("1".to_owned(), false).into()));
    if fetch.with_ties {
        return keep_ties(query, rows);
    }
    match &mut query.limit_clause {
        Some(LimitClause::LimitOffset { limit: limit @ None, .. }) => *limit = Some(rows),
        Some(_) => return Err(Error::unsupported("both LIMIT and FETCH")),
        None => {
            query.limit_clause =
                Some(LimitClause::LimitOffset { limit: Some(rows), offset: None, limit_by: Vec::new() })
        }
    }
    Ok(())
}

/// Writes `ORDER BY a FETCH FIRST n ROWS WITH TIES` as `QUALIFY rank() OVER (ORDER BY a) <= n ORDER BY a`.
fn keep_ties(query: &mut Query, rows: Expr) -> Result<()> {
    let (SetExpr::Select(select), Some(OrderByKind::Expressions(by))) =
        (query.body.as_mut(), query.order_by.as_ref().map(|by| &by.kind))
    else {
        return Err(Error::unsupported("WITH TIES of anything but a SELECT with ORDER BY"));
    };
    if select.distinct.is_some() || select.qualify.is_some() {
        return Err(Error::unsupported("WITH TIES of a SELECT with DISTINCT or QUALIFY"));
    }
    let by = by.iter().map(|by| {
        let given = match &by.expr {
            Expr::Identifier(name) => select.projection.iter().find_map(|item| match item {
                SelectItem::ExprWithAlias { expr, alias } if fold(alias) == fold(name) => Some(expr),
                _ => None,
            }),
            expr => match number(expr).and_then(|at| select.projection.get(at)) {
                Some(SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) => Some(expr),
                _ => None,
            },
        };
        OrderByExpr { expr: given.unwrap_or(&by.expr).clone(), ..by.clone() }
    });
    let mut rank = call(Ident::new("rank"), Vec::new());
    if let Expr::Function(function) = &mut rank {
        function.over = Some(WindowType::WindowSpec(WindowSpec {
            window_name: None,
            partition_by: Vec::new(),
            order_by: by.collect(),
            window_frame: None,
        }));
    }
    let mut last = Expr::Nested(Box::new(rows));
    if let Some(LimitClause::LimitOffset { offset: Some(offset), .. }) = &query.limit_clause {
        let left = Box::new(last);
        last = Expr::BinaryOp { left, op: BinaryOperator::Plus, right: Box::new(offset.value.clone()) };
    }
    select.qualify = Some(Expr::BinaryOp { left: Box::new(rank), op: BinaryOperator::LtEq, right: Box::new(last) });
    Ok(())
}

/// The place in the select list that a number in ORDER BY means.
fn number(expr: &Expr) -> Option<usize> {
    let Expr::Value(value) = expr else { return None };
    let Value::Number(number, _) = &value.value else { return None };
    number.parse::<usize>().ok()?.checked_sub(1)
}

/// Takes a text in LIMIT and OFFSET for the number that it holds.
///
/// # Errors
/// `feature_not_supported` for a subquery.
pub(crate) fn limit_by_numbers(query: &mut Query) -> Result<()> {
    let Some(LimitClause::LimitOffset { limit, offset, .. }) = &mut query.limit_clause else { return Ok(()) };
    for rows in limit.iter_mut().chain(offset.as_mut().map(|offset| &mut offset.value)) {
        let holds_query = visit_expressions(rows, |expr| match expr {
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        if holds_query.is_break() {
            return Err(Error::unsupported("a subquery in LIMIT and OFFSET").with_hint("read the number before"));
        }
        if let Expr::Value(value) = rows
            && let Value::SingleQuotedString(text) = &value.value
            && text.trim().parse::<u32>().is_ok()
        {
            value.value = Value::Number(text.trim().to_owned(), false);
        }
    }
    Ok(())
}

/// Takes `LATERAL unnest(...)` for `unnest(...)`, which sees what is before it anyway.
pub(crate) fn unnest_laterally(factor: &mut TableFactor) {
    let TableFactor::Function { name, args, alias, with_ordinality, .. } = factor else { return };
    if !name.to_string().eq_ignore_ascii_case("unnest") {
        return;
    }
    let argument = |arg: &FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    };
    let Some(array_exprs) = args.iter().map(argument).collect::<Option<Vec<_>>>() else { return };
    *factor = TableFactor::UNNEST {
        alias: alias.take(),
        array_exprs,
        with_offset: false,
        with_offset_alias: None,
        with_ordinality: *with_ordinality,
    };
}

/// Takes constants of the select list out of ORDER BY, which they do not change; over groups the planner asks for them
/// in GROUP BY.
pub(crate) fn order_by_no_constants(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_ref() else { return };
    let is_expr = |item: &SelectItem| matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. });
    if select.distinct.is_some() || !select.projection.iter().all(is_expr) {
        return;
    }
    let Some(OrderBy { kind: OrderByKind::Expressions(by), .. }) = &mut query.order_by else { return };
    let is_constant_at = |by: &OrderByExpr| {
        let item = number(&by.expr).and_then(|at| select.projection.get(at));
        matches!(item, Some(SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) if is_constant(expr))
    };
    by.retain(|by| !is_constant_at(by));
    if by.is_empty() {
        query.order_by = None;
    }
}

fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => !matches!(value.value, Value::Placeholder(_)),
        Expr::TypedString(_) => true,
        Expr::Cast { expr, .. } | Expr::Nested(expr) | Expr::UnaryOp { expr, .. } => is_constant(expr),
        _ => false,
    }
}

/// Writes `(t JOIN u USING (a)) AS j` as `(SELECT * FROM t JOIN u USING (a)) AS j`: the planner gives j both columns.
pub(crate) fn select_from_join(factor: &mut TableFactor) {
    let TableFactor::NestedJoin { table_with_joins, alias: alias @ Some(_) } = factor else { return };
    if !table_with_joins.joins.iter().any(merges_columns) {
        return;
    }
    let Some(mut subquery) = select_from_derived() else { return };
    if let SetExpr::Select(select) = subquery.body.as_mut() {
        select.from = vec![table_with_joins.as_ref().clone()];
    }
    *factor = TableFactor::Derived { lateral: false, subquery, alias: alias.take(), sample: None };
}

/// Writes the expression for its number in ORDER BY where the planner does not find it again under its name: over
/// groups, and a window function. In what is DISTINCT it finds expressions around one.
pub(crate) fn order_by_expressions(query: &mut Query) {
    let (SetExpr::Select(select), Some(OrderByKind::Expressions(by))) =
        (query.body.as_ref(), query.order_by.as_mut().map(|by| &mut by.kind))
    else {
        return;
    };
    let is_expr = |item: &SelectItem| matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. });
    if !select.projection.iter().all(is_expr) {
        return;
    }
    let groups = may_group(select);
    for by in by {
        let item = number(&by.expr).and_then(|at| select.projection.get(at));
        if let Some(SelectItem::UnnamedExpr(expr)) = item
            && !matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
            && if select.distinct.is_some() { is_window(expr) } else { groups || holds_window(expr) }
            && (groups || !names_alias(expr, &select.projection))
        {
            by.expr = expr.clone();
        }
    }
}

/// Whether an expression has a column that has the name of another output column, which ORDER BY would mean.
fn names_alias(expr: &Expr, items: &[SelectItem]) -> bool {
    let aliases: Vec<String> = items
        .iter()
        .filter_map(|item| match item {
            SelectItem::ExprWithAlias { alias, .. } => Some(fold(alias)),
            _ => None,
        })
        .collect();
    let found = visit_expressions(expr, |expr| match expr {
        Expr::Identifier(name) if aliases.contains(&fold(name)) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}

fn is_window(expr: &Expr) -> bool {
    matches!(expr, Expr::Function(Function { over: Some(_), .. }))
}

fn holds_window(expr: &Expr) -> bool {
    let found = visit_expressions(expr, |expr| match expr {
        Expr::Function(Function { over: Some(_), .. }) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}
