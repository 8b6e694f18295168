//! The columns that `*` stands for.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Ident, ObjectName, ObjectNamePart, Select, SelectItem, SelectItemQualifiedWildcardKind,
    TableFactor, TableWithJoins, VisitorMut, WildcardAdditionalOptions,
};

use super::using::merges_columns;
use crate::catalog::{SystemColumn, TableName};
use crate::error::Error;
use crate::sql::parse::{fold, table_name};

/// The system columns that a statement can see of each table.
pub(crate) type VisibleSystemColumns = HashMap<TableName, Vec<SystemColumn>>;

/// Takes the visible system columns out of every `*` over base tables.
pub(crate) struct Stars<'a> {
    pub(crate) current_namespace: &'a str,
    pub(crate) system_columns: &'a VisibleSystemColumns,
    pub(crate) ctes: &'a HashSet<String>,
}

/// One relation of a FROM clause.
struct Relation {
    /// The name that columns are qualified with, if there is one.
    qualifier: Option<ObjectName>,
    hidden: Vec<SystemColumn>,
}

impl VisitorMut for Stars<'_> {
    type Break = Error;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        let relations: Vec<Relation> = select.from.iter().flat_map(|from| self.relations(from)).collect();
        if relations.iter().all(|relation| relation.hidden.is_empty()) {
            return ControlFlow::Continue(());
        }
        let merges_columns = select.from.iter().any(|from| from.joins.iter().any(merges_columns));
        let mut projection = Vec::with_capacity(select.projection.len());
        for item in select.projection.drain(..) {
            match item {
                SelectItem::Wildcard(mut options) => {
                    if let [only] = relations.as_slice() {
                        exclude(&mut options, &only.hidden);
                        projection.push(SelectItem::Wildcard(options));
                        continue;
                    }
                    for relation in &relations {
                        let (Some(qualifier), false) = (&relation.qualifier, merges_columns) else {
                            return ControlFlow::Break(
                                Error::unsupported(
                                    "* together with system columns over a join with USING or an unnamed subquery",
                                )
                                .with_hint("list the columns"),
                            );
                        };
                        let mut options = options.clone();
                        exclude(&mut options, &relation.hidden);
                        projection.push(SelectItem::QualifiedWildcard(
                            SelectItemQualifiedWildcardKind::ObjectName(qualifier.clone()),
                            options,
                        ));
                    }
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), mut options) => {
                    let wanted = relations.iter().find(|relation| {
                        let last = |name: &ObjectName| name.0.last().and_then(ObjectNamePart::as_ident).map(fold);
                        relation.qualifier.as_ref().is_some_and(|qualifier| last(qualifier) == last(&name))
                    });
                    if let Some(relation) = wanted {
                        exclude(&mut options, &relation.hidden);
                    }
                    projection.push(SelectItem::QualifiedWildcard(
                        SelectItemQualifiedWildcardKind::ObjectName(name),
                        options,
                    ));
                }
                other => projection.push(other),
            }
        }
        select.projection = projection;
        ControlFlow::Continue(())
    }
}

impl Stars<'_> {
    fn relations(&self, from: &TableWithJoins) -> Vec<Relation> {
        let factors = std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation));
        factors.flat_map(|factor| self.relation(factor)).collect()
    }

    fn relation(&self, factor: &TableFactor) -> Vec<Relation> {
        match factor {
            TableFactor::NestedJoin { table_with_joins, alias: None } => self.relations(table_with_joins),
            TableFactor::Table { name, alias, args: None, .. } => {
                let is_cte = matches!(name.0.as_slice(), [part] if part.as_ident().is_some_and(|ident| self.ctes.contains(&fold(ident))));
                let table = table_name(name, self.current_namespace).ok().filter(|_| !is_cte);
                let hidden = table.and_then(|table| self.system_columns.get(&table)).cloned().unwrap_or_default();
                let qualifier =
                    alias.as_ref().map_or_else(|| name.clone(), |alias| ObjectName::from(vec![alias.name.clone()]));
                vec![Relation { qualifier: Some(qualifier), hidden }]
            }
            TableFactor::Derived { alias, .. }
            | TableFactor::TableFunction { alias, .. }
            | TableFactor::Table { alias, .. } => {
                vec![Relation {
                    qualifier: alias.as_ref().map(|alias| ObjectName::from(vec![alias.name.clone()])),
                    hidden: Vec::new(),
                }]
            }
            _ => vec![Relation { qualifier: None, hidden: Vec::new() }],
        }
    }
}

fn exclude(options: &mut WildcardAdditionalOptions, hidden: &[SystemColumn]) {
    if hidden.is_empty() {
        return;
    }
    let mut names: Vec<ObjectName> = match options.opt_exclude.take() {
        Some(ExcludeSelectItem::Single(name)) => vec![name],
        Some(ExcludeSelectItem::Multiple(names)) => names,
        None => Vec::new(),
    };
    for column in hidden {
        let already =
            names.iter().any(|name| matches!(name.0.as_slice(), [part] if part.as_ident().is_some_and(|ident| fold(ident) == column.name())));
        if !already {
            names.push(ObjectName::from(vec![Ident::new(column.name())]));
        }
    }
    options.opt_exclude = Some(ExcludeSelectItem::Multiple(names));
}
