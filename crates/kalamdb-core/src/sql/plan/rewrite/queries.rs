//! Parts of queries that the planner does not know, written as parts that it does.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, LimitClause, OrderBy, OrderByExpr, OrderByKind, Query, SelectItem,
    SetExpr, TableFactor, Value, visit_expressions,
};

use super::from_names::select_from_derived;
use super::grouping::may_group;
use super::using::merges_columns;
use crate::error::{Error, Result};
use crate::sql::parse::fold;

/// Writes `FETCH FIRST n ROWS ONLY` as LIMIT.
pub(crate) fn limit_by_fetch(query: &mut Query) -> Result<()> {
    let Some(fetch) = query.fetch.take() else { return Ok(()) };
    if fetch.with_ties || fetch.percent {
        return Err(Error::unsupported("FETCH with PERCENT or TIES"));
    }
    let rows = fetch.quantity.unwrap_or_else(|| Expr::Value(Value::Number("1".to_owned(), false).into()));
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
        let Expr::Value(value) = &by.expr else { return false };
        let Value::Number(number, _) = &value.value else { return false };
        let item = number
            .parse::<usize>()
            .ok()
            .and_then(|number| number.checked_sub(1))
            .and_then(|at| select.projection.get(at));
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
        let number = match &by.expr {
            Expr::Value(value) => match &value.value {
                Value::Number(number, _) => number.parse::<usize>().ok(),
                _ => None,
            },
            _ => None,
        };
        let item = number.and_then(|number| number.checked_sub(1)).and_then(|at| select.projection.get(at));
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
