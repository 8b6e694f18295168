//! Other names for the items of FROM: in a subquery the planner takes `v.w` for a field of a column `v`, also where
//! `v` is a table around it. Only statements that the planner has refused are rewritten.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, ObjectName, Select, SelectItem, SelectItemQualifiedWildcardKind, Statement, TableAlias, TableFactor,
    VisitMut, VisitorMut,
};

use super::duplicates::MARK;
use crate::sql::parse::fold;

/// Gives every item of FROM a name that no column has, and the columns that are named with it.
pub(crate) fn make_unlike_columns(statement: &mut Statement) {
    let mut items = Items(HashSet::new());
    let _: ControlFlow<()> = statement.visit(&mut items);
    let _: ControlFlow<()> = statement.visit(&mut Columns(items.0));
}

fn renamed(name: &Ident) -> Ident {
    Ident::with_quote('"', format!("{}{MARK}", fold(name)))
}

/// Renames the items, and collects the names that they had.
struct Items(HashSet<String>);

impl VisitorMut for Items {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        let alias = match factor {
            TableFactor::Table { name, alias, .. } => {
                if let (None, Some(last)) = (&alias, name.0.last().and_then(|part| part.as_ident())) {
                    *alias = Some(TableAlias { explicit: true, name: last.clone(), columns: Vec::new(), at: None });
                }
                alias
            }
            TableFactor::Derived { alias, .. }
            | TableFactor::UNNEST { alias, .. }
            | TableFactor::Function { alias, .. }
            | TableFactor::NestedJoin { alias, .. } => alias,
            _ => return ControlFlow::Continue(()),
        };
        if let Some(alias) = alias {
            self.0.insert(fold(&alias.name));
            alias.name = renamed(&alias.name);
        }
        ControlFlow::Continue(())
    }
}

/// Renames what columns are named with.
struct Columns(HashSet<String>);

impl Columns {
    fn rename(&self, name: &Ident) -> Option<Ident> {
        self.0.contains(&fold(name)).then(|| renamed(name))
    }
}

impl VisitorMut for Columns {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            if let SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) = item
                && let Some(new) = name.0.last().and_then(|part| part.as_ident()).and_then(|last| self.rename(last))
            {
                *name = ObjectName::from(vec![new]);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(parts) = expr
            && let [.., table, column] = parts.as_slice()
            && let Some(table) = self.rename(table)
        {
            *expr = Expr::CompoundIdentifier(vec![table, column.clone()]);
        }
        ControlFlow::Continue(())
    }
}
