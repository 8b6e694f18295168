//! Columns that USING makes one of two. The planner calls their names ambiguous in WHERE; elsewhere it takes them for the left side's, which is
//! not there in every row of a RIGHT or FULL join.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CaseWhen, Distinct, Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, OrderBy, OrderByKind, Query,
    ReplaceSelectElement, ReplaceSelectItem, Select, SelectItem, SetExpr, TableAlias, TableFactor, TableWithJoins, VisitMut, VisitorMut,
    WildcardAdditionalOptions,
};

use crate::error::{Error, Result};
use crate::sql::parse::fold;

/// Writes, for each column that USING or NATURAL makes one of two, which table's column is meant, where the planner takes another or none;
/// `columns_of` gives a table's columns. What is to be done to the ORDER BY of the query is given back.
///
/// # Errors
/// `feature_not_supported` where the columns of an outer join are not known.
pub(crate) fn qualify(select: &mut Select, columns_of: &dyn Fn(&ObjectName) -> Option<Vec<String>>) -> Result<Option<Merged>> {
    if select.from.iter().all(|from| from.joins.is_empty() && !matches!(from.relation, TableFactor::NestedJoin { .. })) {
        return Ok(None);
    }
    let mut merged = Merged { columns: Vec::new(), depth: 0, has_outer: false, has_conditions: false };
    for from in &mut select.from {
        let side = merged.read(from, columns_of)?;
        merged.columns.extend(side.merged);
    }
    if merged.columns.is_empty() {
        return Ok(None);
    }
    if merged.has_conditions && select.projection.iter().any(|item| matches!(item, SelectItem::Wildcard(_))) {
        return Err(
            Error::unsupported("* over a join with USING over a column that a RIGHT or FULL join has made one of two").with_hint("list the columns")
        );
    }
    // The visitor never breaks off.
    if let Some(condition) = &mut select.selection {
        let _: ControlFlow<()> = condition.visit(&mut merged);
    }
    if !merged.has_outer {
        return Ok(None);
    }
    select.projection.iter_mut().for_each(|item| merged.select(item));
    let _: ControlFlow<()> = select.group_by.visit(&mut merged);
    let _: ControlFlow<()> = select.named_window.visit(&mut merged);
    if let Some(Distinct::On(expressions)) = &mut select.distinct {
        let _: ControlFlow<()> = expressions.visit(&mut merged);
    }
    for condition in select.having.iter_mut().chain(&mut select.qualify) {
        let _: ControlFlow<()> = condition.visit(&mut merged);
    }
    Ok(Some(merged))
}

/// What a column that is one of two means.
pub(crate) struct Merged {
    columns: Vec<(String, Expr)>,
    /// Whether a column is not always the left side's.
    has_outer: bool,
    /// Whether USING has become ON, so that the planner does not know that the columns are one.
    has_conditions: bool,
    /// How many subqueries are around what is visited: there the names may mean other columns.
    depth: usize,
}

/// One side of a join.
#[derive(Default)]
struct Side {
    /// What its joins have made one of two.
    merged: Vec<(String, Expr)>,
    /// Those of them that are not the first relation's in every row, as the planner takes them to be.
    outer: Vec<String>,
    /// Its relations, each with its name and its columns as far as they are known.
    relations: Vec<(Option<Ident>, Option<Vec<String>>)>,
}

impl Side {
    /// The column of that name.
    fn column(&self, name: &Ident) -> Option<Expr> {
        if let Some((_, expr)) = self.merged.iter().find(|(merged, _)| *merged == fold(name)) {
            return Some(expr.clone());
        }
        let relation = match self.relations.as_slice() {
            [(only, _)] => only,
            relations => {
                let has = |columns: &Option<Vec<String>>| columns.as_ref().is_none_or(|columns| columns.contains(&fold(name)));
                let mut with_column = relations.iter().filter(|(_, columns)| has(columns));
                match (with_column.next(), with_column.next()) {
                    (Some((relation, _)), None) => relation,
                    _ => return None,
                }
            }
        };
        Some(Expr::CompoundIdentifier(vec![relation.clone()?, name.clone()]))
    }

    /// The names of its columns, each once.
    fn names(&self) -> Option<Vec<String>> {
        let mut names: Vec<String> = Vec::new();
        for (_, columns) in &self.relations {
            for name in columns.as_ref()? {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
        }
        Some(names)
    }
}

impl Merged {
    fn read(&mut self, from: &mut TableWithJoins, columns_of: &dyn Fn(&ObjectName) -> Option<Vec<String>>) -> Result<Side> {
        let mut left = self.factor(&mut from.relation, columns_of)?;
        for join in &mut from.joins {
            let right = self.factor(&mut join.relation, columns_of)?;
            let names = using(join, &left, &right)?;
            let kept = kept(&join.join_operator);
            let mut merged = Vec::new();
            if names.iter().any(|name| left.outer.contains(&fold(name)) || right.outer.contains(&fold(name))) {
                self.has_conditions = true;
                let equal = |name| Some((left.column(name)?, right.column(name)?));
                let pairs = names.iter().map(|name| equal(name).ok_or_else(|| unknown_column(name))).collect::<Result<Vec<_>>>()?;
                if let (Some(constraint), Some(condition)) = (constraint_of(&mut join.join_operator), all_equal(pairs)) {
                    *constraint = JoinConstraint::On(condition);
                }
            }
            for name in names {
                let expr = match (kept, left.column(&name), right.column(&name)) {
                    (Kept::Either | Kept::Right, _, Some(right)) => right,
                    (Kept::Left | Kept::Either, Some(left), _) => left,
                    (Kept::Both, Some(left), Some(right)) => first_of(left, right),
                    (Kept::Left | Kept::Either, None, _) => continue,
                    (Kept::Right | Kept::Both, ..) => return Err(unknown_column(&name)),
                };
                if matches!(kept, Kept::Right | Kept::Both) {
                    self.has_outer = true;
                    left.outer.push(fold(&name));
                }
                merged.push((fold(&name), expr));
            }
            let is_new = |(name, _): &(String, Expr)| !merged.iter().any(|(other, _)| other == name);
            let earlier: Vec<(String, Expr)> = left.merged.drain(..).chain(right.merged).filter(is_new).collect();
            left.merged = merged.into_iter().chain(earlier).collect();
            left.outer.extend(right.outer);
            left.relations.extend(right.relations);
        }
        Ok(left)
    }

    fn factor(&mut self, factor: &mut TableFactor, columns_of: &dyn Fn(&ObjectName) -> Option<Vec<String>>) -> Result<Side> {
        let relation = match factor {
            TableFactor::NestedJoin { table_with_joins, alias: None } => return self.read(table_with_joins, columns_of),
            TableFactor::Table { name, alias, args: None, .. } => {
                let qualifier = alias.as_ref().map(|alias| alias.name.clone());
                let qualifier = qualifier.or_else(|| name.0.last().and_then(|part| part.as_ident()).cloned());
                (qualifier, renamed(columns_of(name), alias.as_ref()))
            }
            TableFactor::Derived { subquery, alias, .. } => {
                let columns = derived(&subquery.body, columns_of);
                (alias.as_ref().map(|alias| alias.name.clone()), renamed(columns, alias.as_ref()))
            }
            _ => (None, None),
        };
        Ok(Side { relations: vec![relation], ..Side::default() })
    }

    /// Writes the columns in an ORDER BY of the query, but for what the SELECT itself gives under their names.
    pub(crate) fn order_by(&mut self, select: &Select, order_by: &mut OrderBy) {
        let OrderByKind::Expressions(expressions) = &mut order_by.kind else { return };
        let given: Vec<String> = select.projection.iter().filter_map(output_name).collect();
        let has_star = select.projection.iter().any(|item| matches!(item, SelectItem::Wildcard(_)));
        if has_star {
            return;
        }
        self.columns.retain(|(name, _)| !given.contains(name));
        for expression in expressions {
            let _: ControlFlow<()> = expression.expr.visit(self);
        }
    }

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

/// The name of a column that a SELECT gives.
fn output_name(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(fold(name)),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts.last().map(fold),
        SelectItem::ExprWithAlias { alias, .. } => Some(fold(alias)),
        _ => None,
    }
}

/// The columns of a subquery, if they are plain enough to be known.
fn derived(body: &SetExpr, columns_of: &dyn Fn(&ObjectName) -> Option<Vec<String>>) -> Option<Vec<String>> {
    let select = match body {
        SetExpr::Select(select) => select,
        SetExpr::Query(query) => return derived(&query.body, columns_of),
        SetExpr::SetOperation { left, .. } => return derived(left, columns_of),
        _ => return None,
    };
    let star = || match select.from.as_slice() {
        [TableWithJoins { relation: TableFactor::Table { name, alias, args: None, .. }, joins }] if joins.is_empty() => {
            renamed(columns_of(name), alias.as_ref())
        }
        [TableWithJoins { relation: TableFactor::Derived { subquery, alias, .. }, joins }] if joins.is_empty() => {
            renamed(derived(&subquery.body, columns_of), alias.as_ref())
        }
        _ => None,
    };
    let mut names = Vec::new();
    for item in &select.projection {
        match item {
            SelectItem::Wildcard(options) if *options == WildcardAdditionalOptions::default() => names.extend(star()?),
            item => names.push(output_name(item)?),
        }
    }
    Some(names)
}

fn renamed(columns: Option<Vec<String>>, alias: Option<&TableAlias>) -> Option<Vec<String>> {
    let given: Vec<String> = alias.iter().flat_map(|alias| &alias.columns).map(|column| fold(&column.name)).collect();
    let rest = columns?.into_iter().skip(given.len());
    Some(given.into_iter().chain(rest).collect())
}

fn unknown_column(name: &Ident) -> Error {
    Error::unsupported(format!("USING over column {name} in a RIGHT or FULL join whose left side has it from an unknown table"))
        .with_hint("write ON, and coalesce the two columns")
}

/// The side of a join that always has the column.
#[derive(Clone, Copy)]
enum Kept {
    Either,
    Left,
    Right,
    Both,
}

fn kept(operator: &JoinOperator) -> Kept {
    match operator {
        JoinOperator::Left(_) | JoinOperator::LeftOuter(_) => Kept::Left,
        JoinOperator::Right(_) | JoinOperator::RightOuter(_) => Kept::Right,
        JoinOperator::FullOuter(_) => Kept::Both,
        _ => Kept::Either,
    }
}

fn constraint_of(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint) => Some(constraint),
        _ => None,
    }
}

fn all_equal(pairs: Vec<(Expr, Expr)>) -> Option<Expr> {
    let equal = |(left, right)| Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::Eq, right: Box::new(right) };
    pairs.into_iter().map(equal).reduce(|left, right| Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::And, right: Box::new(right) })
}

/// The columns that a join makes one of two. Writes USING for NATURAL in a RIGHT or FULL join, so that the planner takes the same ones.
fn using(join: &mut Join, left: &Side, right: &Side) -> Result<Vec<Ident>> {
    let is_outer = matches!(kept(&join.join_operator), Kept::Right | Kept::Both);
    let Some(constraint) = constraint_of(&mut join.join_operator) else { return Ok(Vec::new()) };
    match constraint {
        JoinConstraint::Using(names) => {
            let names = names.iter().map(|name| name.0.last().and_then(|part| part.as_ident()).cloned()).collect::<Option<Vec<_>>>();
            Ok(names.unwrap_or_default())
        }
        JoinConstraint::Natural => match (left.names(), right.names()) {
            (Some(left), Some(right)) => {
                let common: Vec<Ident> = left.iter().filter(|name| right.contains(name)).map(|name| Ident::with_quote('"', name)).collect();
                if is_outer && !common.is_empty() {
                    *constraint = JoinConstraint::Using(common.iter().map(|name| ObjectName::from(vec![name.clone()])).collect());
                }
                Ok(common)
            }
            _ if is_outer => Err(Error::unsupported("NATURAL in a RIGHT or FULL join of something whose columns are not known before it is planned")
                .with_hint("write USING (columns)")),
            _ => Ok(Vec::new()),
        },
        JoinConstraint::On(_) | JoinConstraint::None => Ok(Vec::new()),
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
/// Whether a join makes one column of two, which a list of qualified stars would not.
pub(super) fn merges_columns(join: &Join) -> bool {
    let constraint = match &join.join_operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint) => constraint,
        _ => return false,
    };
    matches!(constraint, JoinConstraint::Using(_) | JoinConstraint::Natural)
}
