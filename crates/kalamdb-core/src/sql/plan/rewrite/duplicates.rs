//! Two columns of one name in a SELECT, which SQL allows and the planner does not.
//!
//! Such columns get aliases that hold a NUL, which no statement can spell: `a` becomes `a\0dup1`. What follows the NUL
//! is taken off the names of the result. Only statements that the planner has refused are rewritten.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr as PlannedExpr, LogicalPlan};
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, ObjectName, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Statement,
    TableAlias, TableFactor, VisitMut, VisitorMut,
};

use super::using::merges_columns;
use crate::sql::parse::fold;

/// What separates the name that users see from what makes it unique.
pub(super) const MARK: &str = "\0dup";

/// Whether a SELECT may have two columns of one name: cheap, and wrong only on the safe side.
///
/// What the planner calls an expression is not known here: `a` and `CAST(a AS BIGINT)`, or two EXISTS, are called the
/// same.
pub(crate) fn may_repeat_names(projection: &[SelectItem]) -> bool {
    let mut seen = HashSet::new();
    projection.len() > 1 && projection.iter().any(|item| name_of(item).is_none_or(|name| !seen.insert(name)))
}

/// The name that a column has by itself; `None` for expressions and `*`.
fn name_of(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(fold(alias)),
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(fold(name)),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts.last().map(fold),
        _ => None,
    }
}

/// The table that a column is named with.
fn qualifier_of(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts.iter().rev().nth(1).map(fold),
        _ => None,
    }
}

/// Makes the columns of every SELECT differ; returns whether anything was changed.
///
/// `columns_of` gives the columns of a base table, in order.
pub(crate) fn make_unique(statement: &mut Statement, columns_of: impl Fn(&ObjectName) -> Option<Vec<String>>) -> bool {
    let mut renamer = Renamer {
        columns_of,
        ctes: HashMap::new(),
        depth: 0,
        n_renamed: 0,
        renames_subqueries: false,
        merges_columns: false,
    };
    let _: ControlFlow<()> = statement.visit(&mut renamer);
    // Columns that USING and NATURAL compare would be lost under other names.
    renamer.n_renamed > 0 && !(renamer.merges_columns && renamer.renames_subqueries)
}

struct Renamer<F> {
    columns_of: F,
    /// What WITH gives names to, which may hide tables, with the columns where they are known.
    ctes: HashMap<String, Option<Vec<String>>>,
    /// How many queries are around what is visited.
    depth: usize,
    n_renamed: usize,
    renames_subqueries: bool,
    merges_columns: bool,
}

impl<F: Fn(&ObjectName) -> Option<Vec<String>>> VisitorMut for Renamer<F> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if let Some(with) = &query.with {
            for cte in &with.cte_tables {
                let columns = self.columns_of_query(&cte.query, &cte.alias);
                self.ctes.insert(fold(&cte.alias.name), columns);
            }
        }
        self.depth += depth(query);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.depth -= depth(query);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        self.merges_columns |= select.from.iter().any(|from| from.joins.iter().any(merges_columns));
        if may_repeat_names(&select.projection) {
            if let Some(expanded) = self.without_stars(select) {
                select.projection = expanded;
            }
            self.rename(&mut select.projection);
        }
        ControlFlow::Continue(())
    }
}

/// The terms of a set are queries within it: EXCEPT compares their columns by the names alone.
fn depth(query: &Query) -> usize {
    if matches!(*query.body, SetExpr::SetOperation { .. }) { 2 } else { 1 }
}

impl<F: Fn(&ObjectName) -> Option<Vec<String>>> Renamer<F> {
    /// The columns of a query under an alias, if all of them have names.
    fn columns_of_query(&self, query: &Query, alias: &TableAlias) -> Option<Vec<String>> {
        let mut body = query.body.as_ref();
        let columns = loop {
            body = match body {
                SetExpr::Query(query) => query.body.as_ref(),
                SetExpr::SetOperation { left, .. } => left,
                SetExpr::Select(select) => {
                    let items = self.without_stars(select)?;
                    break items.iter().map(name_of).collect::<Option<Vec<String>>>()?;
                }
                SetExpr::Values(values) => {
                    break (1..=values.rows.first()?.content.len()).map(|n| format!("column{n}")).collect();
                }
                _ => return None,
            };
        };
        let named = alias.columns.iter().map(|column| fold(&column.name));
        Some(named.chain(columns.into_iter().skip(alias.columns.len())).collect())
    }

    /// The columns of one item of FROM, with the name that it has.
    fn columns_of_item(&self, item: &TableFactor) -> Option<(Ident, Vec<String>)> {
        match item {
            TableFactor::Derived { subquery, alias: Some(alias), .. } => {
                Some((alias.name.clone(), self.columns_of_query(subquery, alias)?))
            }
            TableFactor::Table { name, alias, args: None, .. } => {
                let last = name.0.last()?.as_ident()?;
                let columns = match self.ctes.get(&fold(last)) {
                    Some(columns) => columns.clone()?,
                    None => (self.columns_of)(name)?,
                };
                match alias {
                    Some(alias) if alias.columns.is_empty() => Some((alias.name.clone(), columns)),
                    Some(_) => None,
                    None => Some((last.clone(), columns)),
                }
            }
            _ => None,
        }
    }

    /// The columns of a SELECT with each `*` spelt out, if the columns of all that it selects from are known.
    fn without_stars(&self, select: &Select) -> Option<Vec<SelectItem>> {
        let mut tables: Vec<(Ident, Vec<String>)> = Vec::new();
        for from in &select.from {
            if from.joins.iter().any(merges_columns) {
                return None;
            }
            for factor in std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)) {
                tables.push(self.columns_of_item(factor)?);
            }
        }
        let mut items = Vec::new();
        for item in &select.projection {
            let qualifier = match item {
                SelectItem::Wildcard(options) if *options == Default::default() => None,
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options)
                    if *options == Default::default() =>
                {
                    Some(fold(name.0.last()?.as_ident()?))
                }
                SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => return None,
                other => {
                    items.push(other.clone());
                    continue;
                }
            };
            for (table, columns) in
                tables.iter().filter(|(table, _)| qualifier.as_ref().is_none_or(|wanted| *wanted == fold(table)))
            {
                let column = |column: &String| vec![table.clone(), Ident::with_quote('"', column)];
                items
                    .extend(columns.iter().map(|name| SelectItem::UnnamedExpr(Expr::CompoundIdentifier(column(name)))));
            }
        }
        Some(items)
    }

    fn rename(&mut self, projection: &mut [SelectItem]) {
        // The result of the statement may hold one column for each table of a join under one name; a subquery may not.
        let is_result = self.depth <= 1;
        let names: Vec<Option<(String, Option<String>)>> = projection
            .iter()
            .map(|item| Some((name_of(item)?, if is_result { qualifier_of(item) } else { None })))
            .collect();
        let collides = |a: &(String, Option<String>), b: &(String, Option<String>)| {
            a.0 == b.0 && (a.1.is_none() || b.1.is_none() || a.1 == b.1)
        };
        for (at, item) in projection.iter_mut().enumerate() {
            if let Some(Some(name)) = names.get(at) {
                let earlier = names.iter().take(at).flatten().any(|other| collides(other, name));
                let later = names.iter().skip(at + 1).flatten().any(|other| collides(other, name));
                // In a subquery the first goes too: to name such a column is ambiguous.
                if !(earlier || later && !is_result) {
                    continue;
                }
            }
            let visible = name_of(item).unwrap_or_default();
            let alias = Ident::with_quote('"', format!("{visible}{MARK}{}", self.n_renamed));
            let renamed = match std::mem::replace(item, SelectItem::Wildcard(Default::default())) {
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                    SelectItem::ExprWithAlias { expr, alias }
                }
                other => {
                    *item = other;
                    continue;
                }
            };
            *item = renamed;
            self.n_renamed += 1;
            self.renames_subqueries |= !is_result;
        }
    }
}

/// The schema of a rewritten statement under the names that the statement gave its columns.
pub(crate) fn visible_names(plan: &LogicalPlan, schema: &Schema) -> Result<Arc<Schema>> {
    // An expression without a name is called by its text, which only the planner knows.
    let mut unnamed: HashMap<String, String> = HashMap::new();
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            if let PlannedExpr::Alias(alias) = expr
                && alias.name.starts_with(MARK)
            {
                unnamed.insert(alias.name.clone(), alias.expr.schema_name().to_string());
            }
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    let fields: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| {
            let name = match (field.name().split_once(MARK), unnamed.get(field.name())) {
                (_, Some(name)) => name.as_str(),
                (Some((name, _)), None) => name,
                (None, None) => return Arc::clone(field),
            };
            Arc::new(field.as_ref().clone().with_name(name))
        })
        .collect();
    Ok(Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())))
}
