//! Whole rows, `json_agg(q)` where q is an item of FROM: the planner has none, so they are written as JSON objects of
//! their columns.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Join, JoinOperator, ObjectName, Query, Select,
    SelectItem, TableFactor, TableWithJoins, Value, VisitMut, VisitorMut,
};

use super::using::{derived, renamed};
use crate::sql::parse::{call, fold};

type ColumnsOf<'a> = &'a dyn Fn(&ObjectName) -> Option<Vec<String>>;

/// Writes the whole rows in the select list and in HAVING; `columns_of` gives a table's columns.
///
/// A row that an outer join fills up is NULL and no object of NULLs, so queries with these joins are left alone.
pub(crate) fn as_objects(select: &mut Select, columns_of: ColumnsOf<'_>) {
    let Select { projection, having, from, .. } = select;
    let from = &*from;
    if from.is_empty() || from.iter().flat_map(|from| &from.joins).any(is_outer) {
        return;
    }
    let mut rows = Rows { from, columns_of, depth: 0, n_rewritten: 0 };
    // The visitor never breaks off.
    for item in projection {
        match item {
            SelectItem::UnnamedExpr(Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_)) => {}
            SelectItem::UnnamedExpr(expr) => {
                let before = expr.clone();
                let n_before = rows.n_rewritten;
                let _: ControlFlow<()> = expr.visit(&mut rows);
                if rows.n_rewritten > n_before {
                    *item = SelectItem::ExprWithAlias {
                        expr: expr.clone(),
                        alias: Ident::with_quote('"', before.to_string()),
                    };
                }
            }
            SelectItem::ExprWithAlias { expr, .. } => {
                let _: ControlFlow<()> = expr.visit(&mut rows);
            }
            _ => {}
        }
    }
    let _: ControlFlow<()> = having.visit(&mut rows);
}

fn is_outer(join: &Join) -> bool {
    !matches!(join.join_operator, JoinOperator::Join(_) | JoinOperator::Inner(_) | JoinOperator::CrossJoin(_))
}

struct Rows<'a> {
    from: &'a [TableWithJoins],
    columns_of: ColumnsOf<'a>,
    /// How many subqueries are around what is visited: there the names may mean other items.
    depth: usize,
    n_rewritten: usize,
}

impl Rows<'_> {
    /// The columns of the row that a name means, unless it may mean a column.
    fn row(&self, name: &Ident) -> Option<Vec<String>> {
        let mut row = None;
        for relation in self
            .from
            .iter()
            .flat_map(|from| std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)))
        {
            let (qualifier, columns) = match relation {
                // The row of a table has the names that the table gives, whatever the alias calls its columns.
                TableFactor::Table { name, alias, args: None, .. }
                    if alias.as_ref().is_none_or(|alias| alias.columns.is_empty()) =>
                {
                    let own = alias
                        .as_ref()
                        .map(|alias| &alias.name)
                        .or_else(|| name.0.last().and_then(|part| part.as_ident()));
                    (own, (self.columns_of)(name)?)
                }
                TableFactor::Derived { subquery, alias, .. } => (
                    alias.as_ref().map(|alias| &alias.name),
                    renamed(derived(&subquery.body, self.columns_of), alias.as_ref())?,
                ),
                _ => return None,
            };
            if columns.contains(&fold(name)) {
                return None;
            }
            if qualifier.is_some_and(|qualifier| fold(qualifier) == fold(name)) {
                row = Some(columns);
            }
        }
        row
    }

    fn object(&self, function: &str, name: &Ident) -> Option<Expr> {
        let members = self.row(name)?.into_iter().flat_map(|column| {
            let key = Expr::Value(Value::SingleQuotedString(column.clone()).into());
            [key, Expr::CompoundIdentifier(vec![name.clone(), Ident::with_quote('"', column)])]
        });
        Some(call(Ident::new(function), members.collect()))
    }

    /// What a call of a row is written as.
    fn rewrite(&self, expr: &mut Expr) -> Option<()> {
        let Expr::Function(function) = expr else { return None };
        let FunctionArguments::List(list) = &mut function.args else { return None };
        let ([FunctionArg::Unnamed(arg)], None) = (list.args.as_mut_slice(), list.duplicate_treatment) else {
            return None;
        };
        let FunctionArgExpr::Expr(Expr::Identifier(name)) = arg else { return None };
        match function.name.to_string().to_lowercase().as_str() {
            "json_agg" => *arg = FunctionArgExpr::Expr(self.object("json_build_object", name)?),
            "jsonb_agg" => *arg = FunctionArgExpr::Expr(self.object("jsonb_build_object", name)?),
            "count" => {
                self.row(name)?;
                *arg = FunctionArgExpr::Wildcard;
            }
            "to_json" | "row_to_json" => *expr = self.object("json_build_object", name)?,
            "to_jsonb" => *expr = self.object("jsonb_build_object", name)?,
            _ => return None,
        }
        Some(())
    }
}

impl VisitorMut for Rows<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.depth == 0 && self.rewrite(expr).is_some() {
            self.n_rewritten += 1;
        }
        ControlFlow::Continue(())
    }
}
