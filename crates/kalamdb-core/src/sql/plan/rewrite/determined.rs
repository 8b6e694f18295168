//! Columns that need no place in GROUP BY, as the primary key of their table is grouped by.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, Ident, ObjectName, OrderBy, Select, SelectItem, SelectItemQualifiedWildcardKind, TableFactor,
    TableWithJoins, Value, Visit, Visitor,
};

use crate::sql::parse::fold;

/// The names of a stored table's columns, and the positions of its key among them.
pub(crate) struct KeyedColumns {
    pub(crate) names: Vec<String>,
    /// Those that `*` leaves out.
    pub(crate) hidden: Vec<String>,
    pub(crate) primary_key: Vec<usize>,
}

/// Adds to GROUP BY the columns that the query names and that are determined by what it groups by.
///
/// Where the rest of the statement names them is not asked: a column too many among those that are determined changes
/// no group.
pub(crate) fn group_by_determined(
    select: &mut Select,
    order_by: Option<&OrderBy>,
    keyed: &dyn Fn(&ObjectName) -> Option<KeyedColumns>,
) {
    let GroupByExpr::Expressions(grouped, _) = &select.group_by else { return };
    if grouped.is_empty() {
        return;
    }
    let mut relations = Vec::new();
    select.from.iter().for_each(|from| read(from, keyed, &mut relations));
    let grouped: Vec<&Expr> = grouped.iter().map(|expr| item(expr, select, &relations)).collect();
    relations = {
        let is_grouped = |relation: &Relation, key: &String| {
            grouped.iter().any(|expr| match unnested(expr) {
                Expr::Identifier(name) => {
                    fold(name) == *key
                        && relations
                            .iter()
                            .find(|other| other.names.contains(key))
                            .is_some_and(|first| std::ptr::eq(first, relation))
                }
                Expr::CompoundIdentifier(parts) => relation.is_named(parts, key),
                _ => false,
            })
        };
        let is_determined = |relation: &Relation| relation.key.iter().all(|key| is_grouped(relation, key));
        let determined: Vec<bool> = relations.iter().map(is_determined).collect();
        relations
            .into_iter()
            .zip(determined)
            .filter(|(_, determined)| *determined)
            .map(|(relation, _)| relation)
            .collect()
    };
    if relations.is_empty() {
        return;
    }
    let mut names = Named { relations: &relations, found: Vec::new() };
    let _: ControlFlow<()> = select.projection.visit(&mut names);
    let _: ControlFlow<()> = select.having.visit(&mut names);
    let _: ControlFlow<()> = select.qualify.visit(&mut names);
    let _: ControlFlow<()> = select.named_window.visit(&mut names);
    let _: ControlFlow<()> = select.distinct.visit(&mut names);
    if let Some(order_by) = order_by {
        let _: ControlFlow<()> = order_by.visit(&mut names);
    }
    select.projection.iter().for_each(|item| names.star(item));
    let mut found = names.found;
    // What is in a grouping set is NULL in the groups of others, whatever determines it.
    let mut in_sets = InSets(Vec::new());
    if let GroupByExpr::Expressions(grouped, _) = &select.group_by {
        let is_set = |expr: &&Expr| matches!(expr, Expr::Rollup(_) | Expr::Cube(_) | Expr::GroupingSets(_));
        let _: ControlFlow<()> = grouped.iter().filter(is_set).try_for_each(|set| set.visit(&mut in_sets));
    }
    found.retain(|column| matches!(column, Expr::CompoundIdentifier(parts) if !parts.last().is_some_and(|name| in_sets.0.contains(&fold(name)))));
    if let GroupByExpr::Expressions(grouped, _) = &mut select.group_by {
        for column in found {
            if !grouped.contains(&column) {
                grouped.push(column);
            }
        }
    }
}

/// The names of columns that grouping sets are made of.
struct InSets(Vec<String>);

impl Visitor for InSets {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(name) => self.0.push(fold(name)),
            Expr::CompoundIdentifier(parts) => self.0.extend(parts.last().map(fold)),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// A stored table in FROM.
struct Relation {
    /// What its columns are qualified with.
    qualifier: Vec<Ident>,
    names: Vec<String>,
    hidden: Vec<String>,
    key: Vec<String>,
}

impl Relation {
    /// Whether the parts name that column of this relation.
    fn is_named(&self, parts: &[Ident], column: &str) -> bool {
        let Some((last, qualifier)) = parts.split_last() else { return false };
        fold(last) == column && self.is_qualified(qualifier)
    }

    fn is_qualified(&self, qualifier: &[Ident]) -> bool {
        let mut parts = qualifier.iter().rev().map(fold);
        let mut own = self.qualifier.iter().rev().map(fold);
        !qualifier.is_empty() && parts.all(|part| own.next() == Some(part))
    }

    fn column(&self, name: &str) -> Expr {
        Expr::CompoundIdentifier(self.qualifier.iter().cloned().chain([Ident::with_quote('"', name)]).collect())
    }
}

fn read(from: &TableWithJoins, keyed: &dyn Fn(&ObjectName) -> Option<KeyedColumns>, relations: &mut Vec<Relation>) {
    for factor in std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)) {
        match factor {
            TableFactor::NestedJoin { table_with_joins, alias: None } => read(table_with_joins, keyed, relations),
            TableFactor::Table { name, alias, args: None, .. } => {
                let Some(KeyedColumns { mut names, hidden, primary_key }) = keyed(name) else { continue };
                let renamed = alias.iter().flat_map(|alias| &alias.columns);
                names.iter_mut().zip(renamed).for_each(|(name, column)| *name = fold(&column.name));
                let key = primary_key.iter().filter_map(|at| names.get(*at).cloned()).collect();
                let own = name.0.iter().filter_map(|part| part.as_ident().cloned());
                let qualifier = alias.as_ref().map_or_else(|| own.collect(), |alias| vec![alias.name.clone()]);
                relations.push(Relation { qualifier, names, hidden, key });
            }
            _ => {}
        }
    }
}

/// What an item of GROUP BY stands for: `2` and the name of an output column are those of the select list.
fn item<'a>(expr: &'a Expr, select: &'a Select, relations: &[Relation]) -> &'a Expr {
    let output = |item: &'a SelectItem| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    };
    let meant = match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(position, _) => {
                position.parse::<usize>().ok().and_then(|at| select.projection.get(at.checked_sub(1)?)).and_then(output)
            }
            _ => None,
        },
        Expr::Identifier(name) if !relations.iter().any(|relation| relation.names.contains(&fold(name))) => {
            let mut items = select.projection.iter();
            items
                .find(|item| matches!(item, SelectItem::ExprWithAlias { alias, .. } if fold(alias) == fold(name)))
                .and_then(output)
        }
        _ => None,
    };
    meant.unwrap_or(expr)
}

fn unnested(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => unnested(inner),
        other => other,
    }
}

/// The columns of some relations that expressions name, in subqueries too.
struct Named<'a> {
    relations: &'a [Relation],
    found: Vec<Expr>,
}

impl Named<'_> {
    fn add(&mut self, relation: &Relation, name: &str) {
        let column = relation.column(name);
        if !relation.key.iter().any(|key| key == name) && !self.found.contains(&column) {
            self.found.push(column);
        }
    }

    /// The columns that `*` stands for.
    fn star(&mut self, item: &SelectItem) {
        let relations = self.relations;
        for relation in relations {
            let is_meant = match item {
                SelectItem::Wildcard(_) => true,
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                    let qualifier: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
                    relation.is_qualified(&qualifier)
                }
                _ => false,
            };
            if is_meant {
                relation.names.iter().for_each(|name| self.add(relation, name));
            }
        }
    }
}

impl Visitor for Named<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let relations = self.relations;
        for relation in relations {
            let name = match expr {
                Expr::Identifier(name) => fold(name),
                Expr::CompoundIdentifier(parts) => match parts.last() {
                    Some(name) if relation.is_named(parts, &fold(name)) => fold(name),
                    _ => continue,
                },
                _ => continue,
            };
            if relation.names.contains(&name) || relation.hidden.contains(&name) {
                self.add(relation, &name);
            }
        }
        ControlFlow::Continue(())
    }
}
