//! ORDER BY names output columns by bare names only: in any other expression, as in `ORDER BY -x`, x is a column of
//! FROM. The planner would take the output column first, so that such expressions are computed where output columns are
//! not known: in the select list.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, ObjectName, OrderByExpr, OrderByKind, Query, SelectItem, SetExpr, Statement,
    TableAlias, TableFactor, Value, Visit, VisitMut, Visitor, VisitorMut, WildcardAdditionalOptions,
};

use super::from_names::select_from_derived;
use crate::sql::parse::fold;

/// Whether [`sort_by_columns`] would change anything.
pub(crate) fn has_ambiguous_order(statement: &Statement) -> bool {
    statement.visit(&mut Finder).is_break()
}

struct Finder;

impl Visitor for Finder {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if is_ambiguous(query) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Whether an expression of ORDER BY names what the select list calls something else.
fn is_ambiguous(query: &Query) -> bool {
    let (SetExpr::Select(select), Some(OrderByKind::Expressions(by))) =
        (query.body.as_ref(), query.order_by.as_ref().map(|by| &by.kind))
    else {
        return false;
    };
    let names = given_names(&select.projection);
    select.distinct.is_none()
        && !names.is_empty()
        && by.iter().any(|by| !is_bare(&by.expr) && mentions(&by.expr, &names))
}

/// Names the casts of columns after the columns, as PostgreSQL does: the planner knows no ORDER BY of a column whose
/// cast has its name.
pub(crate) fn name_casts(body: &mut SetExpr) {
    let select = match body {
        SetExpr::Select(select) => select,
        // The columns of a set have the names of the first query's.
        SetExpr::SetOperation { left, .. } => return name_casts(left),
        SetExpr::Query(query) => return name_casts(&mut query.body),
        _ => return,
    };
    // HAVING would see the name, too.
    if select.having.is_some() {
        return;
    }
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expr) = item
            && let Some(alias) = cast_column(expr).cloned()
        {
            *item = SelectItem::ExprWithAlias { expr: std::mem::replace(expr, Expr::value(Value::Null)), alias };
        }
    }
}

/// The column that is cast by an expression that does nothing else.
fn cast_column(expr: &Expr) -> Option<&Ident> {
    fn column(expr: &Expr) -> Option<&Ident> {
        match expr {
            Expr::Identifier(name) => Some(name),
            Expr::CompoundIdentifier(parts) => parts.last(),
            Expr::Nested(inner) => column(inner),
            other => cast_column(other),
        }
    }
    match expr {
        Expr::Cast { expr, .. } => column(expr),
        _ => None,
    }
}

fn given_names(projection: &[SelectItem]) -> HashSet<String> {
    let name = |item: &SelectItem| match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(fold(alias)),
        SelectItem::UnnamedExpr(expr) => cast_column(expr).map(fold),
        _ => None,
    };
    projection.iter().filter_map(name).collect()
}

fn is_bare(expr: &Expr) -> bool {
    match expr {
        Expr::Identifier(_) => true,
        Expr::Value(value) => matches!(value.value, Value::Number(..)),
        _ => false,
    }
}

/// Whether a column of one of the names is in the expression itself.
fn mentions(expr: &Expr, names: &HashSet<String>) -> bool {
    struct Mentions<'a>(&'a HashSet<String>);
    impl Visitor for Mentions<'_> {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            let name = match expr {
                Expr::Identifier(name) => Some(name),
                Expr::CompoundIdentifier(parts) => parts.last(),
                _ => None,
            };
            if name.is_some_and(|name| self.0.contains(&fold(name))) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        }
    }
    expr.visit(&mut Mentions(names)).is_break()
}

/// Writes `SELECT -v AS x FROM t ORDER BY -x` as
/// `SELECT * EXCLUDE (k) FROM (SELECT -v AS x, -x AS k FROM t) ORDER BY k`.
pub(crate) fn sort_by_columns(statement: &mut Statement) {
    let _: ControlFlow<()> = statement.visit(&mut Sorter);
}

struct Sorter;

impl VisitorMut for Sorter {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if is_ambiguous(query)
            && let Some(outer) = select_from_derived()
        {
            sort(query, *outer);
        }
        ControlFlow::Continue(())
    }
}

fn sort(query: &mut Query, outer: Query) {
    let mut inner = std::mem::replace(query, outer);
    query.order_by = inner.order_by.take();
    query.limit_clause = inner.limit_clause.take();
    query.fetch = inner.fetch.take();
    let mut hidden = Vec::new();
    if let (SetExpr::Select(select), Some(OrderByKind::Expressions(by))) =
        (inner.body.as_mut(), query.order_by.as_mut().map(|by| &mut by.kind))
    {
        let names = given_names(&select.projection);
        for OrderByExpr { expr, .. } in by {
            let is_output = match &*expr {
                Expr::Identifier(name) => names.contains(&fold(name)),
                other => is_bare(other),
            };
            if !is_output {
                let name = Ident::with_quote('"', format!("\0sort{}", hidden.len()));
                let computed = std::mem::replace(expr, Expr::Identifier(name.clone()));
                select.projection.push(SelectItem::ExprWithAlias { expr: computed, alias: name.clone() });
                hidden.push(ObjectName::from(vec![name]));
            }
        }
    }
    if let SetExpr::Select(select) = query.body.as_mut() {
        let options = WildcardAdditionalOptions {
            opt_exclude: Some(ExcludeSelectItem::Multiple(hidden)),
            ..WildcardAdditionalOptions::default()
        };
        select.projection = vec![SelectItem::Wildcard(options)];
        if let Some(TableFactor::Derived { subquery, alias, .. }) =
            select.from.first_mut().map(|from| &mut from.relation)
        {
            **subquery = inner;
            *alias = Some(TableAlias {
                explicit: true,
                name: Ident::with_quote('"', "\0sorted"),
                columns: Vec::new(),
                at: None,
            });
        }
    }
}
