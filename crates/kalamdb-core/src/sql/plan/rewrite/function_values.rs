//! The alias of a function in FROM, read as a value: `SELECT e FROM jsonb_array_elements(j) AS e`. Its column has a
//! name of its own, so the alias is written with that name behind it.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, Ident, ObjectName, OrderByKind, Query, Select, SelectItem, SetExpr, TableFactor, VisitMut,
    VisitorMut,
};

use super::row_functions::is_value_of_function;
use super::using::{columns_of_from, names_within, output_name};
use crate::sql::parse::fold;

type ColumnsOf<'a> = &'a dyn Fn(&ObjectName) -> Option<Vec<String>>;

/// Writes such aliases in a query; `columns_of` gives a table's columns, which come first.
pub(crate) fn read(query: &mut Query, columns_of: ColumnsOf<'_>) {
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let mut aliases = aliases(select);
    if aliases.is_empty() {
        return;
    }
    let Some(columns) = columns_of_from(&select.from, columns_of) else { return };
    aliases.retain(|(name, _)| !columns.contains(name));
    // A name alone in GROUP BY and ORDER BY is that of an output column, if there is one.
    let given: Vec<String> = select.projection.iter().filter_map(output_name).collect();
    let is_given = |expr: &Expr| matches!(expr, Expr::Identifier(name) if given.contains(&fold(name)));
    let mut values = Values { aliases, columns_of, within: Vec::new() };
    for item in &mut select.projection {
        let name = match item {
            SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name.clone()),
            _ => None,
        };
        values.rewrite(item);
        if let (Some(name), SelectItem::UnnamedExpr(expr @ Expr::CompoundIdentifier(_))) = (name, &*item) {
            *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: name };
        }
    }
    if let GroupByExpr::Expressions(by, _) = &mut select.group_by {
        by.iter_mut().filter(|by| !is_given(by)).for_each(|by| values.rewrite(by));
    }
    if let Some(OrderByKind::Expressions(by)) = query.order_by.as_mut().map(|by| &mut by.kind) {
        by.iter_mut().filter(|by| !is_given(&by.expr)).for_each(|by| values.rewrite(by));
    }
    values.rewrite(&mut select.distinct);
    values.rewrite(&mut select.from);
    values.rewrite(&mut select.selection);
    values.rewrite(&mut select.having);
    values.rewrite(&mut select.named_window);
}

/// The aliases of the functions in FROM that have one column with a name of its own, and these names.
fn aliases(select: &Select) -> Vec<(String, &'static str)> {
    let factors = select
        .from
        .iter()
        .flat_map(|from| std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)));
    let alias = |factor: &TableFactor| match factor {
        TableFactor::Derived { subquery, alias: Some(alias), .. } if alias.columns.is_empty() => {
            let SetExpr::Select(select) = subquery.body.as_ref() else { return None };
            match (select.from.as_slice(), select.projection.as_slice()) {
                ([], [SelectItem::ExprWithAlias { expr, .. }]) if is_value_of_function(expr) => {
                    Some((fold(&alias.name), "value"))
                }
                _ => None,
            }
        }
        _ => None,
    };
    factors.filter_map(alias).collect()
}

struct Values<'a> {
    aliases: Vec<(String, &'static str)>,
    columns_of: ColumnsOf<'a>,
    /// The names that the subqueries around an expression know, where they are known.
    within: Vec<Option<Vec<String>>>,
}

impl Values<'_> {
    fn rewrite(&mut self, part: &mut impl VisitMut) {
        // The visitor never breaks off.
        let _: ControlFlow<()> = part.visit(self);
    }
}

impl VisitorMut for Values<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.within.push(names_within(query, self.columns_of));
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.within.pop();
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Identifier(name) = &*expr
            && let Some((known, column)) = self.aliases.iter().find(|(known, _)| *known == fold(name))
            && self.within.iter().all(|names| names.as_ref().is_some_and(|names| !names.contains(known)))
        {
            *expr = Expr::CompoundIdentifier(vec![name.clone(), Ident::new(*column)]);
        }
        ControlFlow::Continue(())
    }
}
