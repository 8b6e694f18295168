//! Columns that USING makes one of two. The planner calls their names ambiguous in WHERE; elsewhere it takes them for the left side's, which is
//! not there in every row of a RIGHT or FULL join.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    CaseWhen, Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, Query, ReplaceSelectElement, ReplaceSelectItem, Select, SelectItem,
    TableFactor, TableWithJoins, VisitMut, VisitorMut,
};

use super::names::fold;

/// Writes USING for NATURAL in a RIGHT or FULL join of two tables, so that [`qualify`] knows the columns; `columns_of` gives a table's.
pub(super) fn name_natural_columns(select: &mut Select, columns_of: impl Fn(&ObjectName) -> Option<Vec<String>>) {
    let columns = |factor: &TableFactor| match factor {
        TableFactor::Table { name, args: None, .. } => columns_of(name),
        _ => None,
    };
    for from in &mut select.from {
        let [join] = from.joins.as_mut_slice() else { continue };
        let (JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) | JoinOperator::FullOuter(constraint)) = &mut join.join_operator
        else {
            continue;
        };
        let (JoinConstraint::Natural, Some(left), Some(right)) = (&*constraint, columns(&from.relation), columns(&join.relation)) else { continue };
        let common = left.iter().filter(|name| right.contains(name)).map(|name| ObjectName::from(vec![Ident::with_quote('"', name)]));
        let common: Vec<ObjectName> = common.collect();
        if !common.is_empty() {
            *constraint = JoinConstraint::Using(common);
        }
    }
}

/// Writes, for each column that USING names, which table's column is meant, where the planner takes another or none.
pub(super) fn qualify(select: &mut Select) {
    let mut merged = Merged { columns: Vec::new(), depth: 0, has_outer: false };
    for from in select.from.iter().filter(|from| !from.joins.is_empty()) {
        merged.read(from);
    }
    if merged.columns.is_empty() {
        return;
    }
    // The visitor never breaks off.
    if let Some(condition) = &mut select.selection {
        let _: ControlFlow<()> = condition.visit(&mut merged);
    }
    if !merged.has_outer {
        return;
    }
    select.projection.iter_mut().for_each(|item| merged.select(item));
    let _: ControlFlow<()> = select.group_by.visit(&mut merged);
    if let Some(condition) = &mut select.having {
        let _: ControlFlow<()> = condition.visit(&mut merged);
    }
}

struct Merged {
    columns: Vec<(String, Expr)>,
    /// Whether a column is not always the left side's.
    has_outer: bool,
    /// How many subqueries are around what is visited: there the names may mean other columns.
    depth: usize,
}

impl Merged {
    fn read(&mut self, from: &TableWithJoins) {
        for (at, join) in from.joins.iter().enumerate() {
            let Some((operator, names)) = using(join) else { continue };
            let right = qualifier(&join.relation);
            // The column of the left side is known to be the first table's where there is no other.
            let left = if at == 0 { qualifier(&from.relation) } else { None };
            for name in names {
                let known = self.columns.iter().position(|(known, _)| *known == fold(&name));
                let column = |table: &Ident| Expr::CompoundIdentifier(vec![table.clone(), name.clone()]);
                let expr = match (operator, &left, &right) {
                    (Side::Either | Side::Right, _, Some(right)) => column(right),
                    (Side::Left, Some(left), _) => column(left),
                    (Side::Both, Some(left), Some(right)) => first_of(column(left), column(right)),
                    _ => continue,
                };
                self.has_outer |= matches!(operator, Side::Right | Side::Both);
                match (known, operator) {
                    (None, _) => self.columns.push((fold(&name), expr)),
                    // The left side is what earlier joins have made of it.
                    (Some(_), Side::Either | Side::Left) => {}
                    (Some(known), Side::Right | Side::Both) => {
                        self.columns.remove(known);
                    }
                }
            }
        }
    }
}

impl Merged {
    /// Keeps the names of the columns that a query gives.
    fn select(&mut self, item: &mut SelectItem) {
        match item {
            SelectItem::UnnamedExpr(expr) => {
                let before = expr.clone();
                let _: ControlFlow<()> = expr.visit(self);
                if *expr != before {
                    let name = match &before {
                        Expr::Identifier(name) => name.clone(),
                        other => Ident::with_quote('"', other.to_string()),
                    };
                    *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: name };
                }
            }
            SelectItem::ExprWithAlias { expr, .. } => {
                let _: ControlFlow<()> = expr.visit(self);
            }
            SelectItem::Wildcard(options) if options.opt_replace.is_none() && options.opt_exclude.is_none() => {
                let element = |(name, expr): &(String, Expr)| {
                    Box::new(ReplaceSelectElement { expr: expr.clone(), column_name: Ident::with_quote('"', name), as_keyword: true })
                };
                options.opt_replace = Some(ReplaceSelectItem { items: self.columns.iter().map(element).collect() });
            }
            _ => {}
        }
    }
}

/// The side of a join that always has the column.
#[derive(Clone, Copy)]
enum Side {
    Either,
    Left,
    Right,
    Both,
}

fn using(join: &Join) -> Option<(Side, Vec<Ident>)> {
    let (side, constraint) = match &join.join_operator {
        JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => (Side::Either, constraint),
        JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => (Side::Left, constraint),
        JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => (Side::Right, constraint),
        JoinOperator::FullOuter(constraint) => (Side::Both, constraint),
        _ => return None,
    };
    let JoinConstraint::Using(names) = constraint else {
        return None;
    };
    let names = names.iter().map(|name| name.0.last().and_then(|part| part.as_ident()).cloned()).collect::<Option<_>>()?;
    Some((side, names))
}

/// The name that a relation's columns are qualified with.
fn qualifier(factor: &TableFactor) -> Option<Ident> {
    match factor {
        TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => Some(alias.name.clone()),
        TableFactor::Table { name, alias: None, .. } => name.0.last().and_then(|part| part.as_ident()).cloned(),
        _ => None,
    }
}

fn first_of(left: Expr, right: Expr) -> Expr {
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen { condition: Expr::IsNotNull(Box::new(left.clone())), result: left }],
        else_result: Some(Box::new(right)),
    }
}

impl VisitorMut for Merged {
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
        if let (Expr::Identifier(name), 0) = (&*expr, self.depth)
            && let Some((_, column)) = self.columns.iter().find(|(known, _)| *known == fold(name))
        {
            *expr = column.clone();
        }
        ControlFlow::Continue(())
    }
}
