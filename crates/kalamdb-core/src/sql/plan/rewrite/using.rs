//! Columns that USING makes one of two. The planner calls their names ambiguous in WHERE, in the ON of other joins and
//! in subqueries; elsewhere it takes them for the left side's, which is not there in every row of a RIGHT or FULL join.
//! In `*` it has them in the place of the left side's.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CaseWhen, Distinct, Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, OrderBy,
    OrderByKind, Query, ReplaceSelectElement, ReplaceSelectItem, Select, SelectItem, SetExpr, TableAlias, TableFactor,
    TableWithJoins, VisitMut, VisitorMut, WildcardAdditionalOptions, visit_expressions,
};

use crate::error::{Error, Result};
use crate::sql::parse::fold;

/// Writes, for each column that USING or NATURAL makes one of two, which table's column is meant, where the planner
/// takes another or none; `columns_of` gives a table's columns, `star_has_all` says that `*` stands for them. What is
/// to be done to the ORDER BY of the query is given back.
///
/// # Errors
/// `feature_not_supported` where the columns of an outer join are not known.
pub(crate) fn qualify<'a>(
    select: &mut Select,
    columns_of: &'a dyn Fn(&ObjectName) -> Option<Vec<String>>,
    star_has_all: bool,
) -> Result<Option<Merged<'a>>> {
    if select.from.iter().all(|from| from.joins.is_empty() && !matches!(from.relation, TableFactor::NestedJoin { .. }))
    {
        return Ok(None);
    }
    let mut merged = Merged::new(Vec::new(), columns_of);
    let mut sides = select.from.iter_mut().map(|from| merged.read(from)).collect::<Result<Vec<_>>>()?;
    if !merged.merges {
        return Ok(None);
    }
    let outputs: Option<Vec<(String, Expr)>> =
        sides.iter_mut().map(|side| side.output.take()).collect::<Option<Vec<_>>>().map(|outputs| outputs.concat());
    for at in 0..sides.len() {
        let is_other = |name: &str| sides.iter().enumerate().any(|(other, side)| other != at && side.has(name));
        let own = sides
            .get(at)
            .map(|side| side.merged.iter().filter(|(name, _)| !is_other(name)).cloned().collect::<Vec<_>>());
        merged.columns.extend(own.unwrap_or_default());
    }
    if let Some(outputs) = outputs.filter(|_| star_has_all) {
        expand_stars(&mut select.projection, &outputs);
    }
    if merged.has_conditions && select.projection.iter().any(|item| matches!(item, SelectItem::Wildcard(_))) {
        return Err(Error::unsupported(
            "* over a join with USING over a column that a RIGHT or FULL join has made one of two",
        )
        .with_hint("list the columns"));
    }
    // The visitor never breaks off.
    if let Some(condition) = &mut select.selection {
        let _: ControlFlow<()> = condition.visit(&mut merged);
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
pub(crate) struct Merged<'a> {
    columns: Vec<(String, Expr)>,
    columns_of: &'a dyn Fn(&ObjectName) -> Option<Vec<String>>,
    /// Whether a join makes one column of two, be it under a name that another item has too.
    merges: bool,
    /// Whether a column is not always the left side's.
    has_outer: bool,
    /// Whether USING has become ON, so that the planner does not know that the columns are one.
    has_conditions: bool,
    /// The parameters of the lambdas around what is visited.
    parameters: Vec<String>,
    /// The names that each subquery around what is visited has itself, as far as they are known.
    within: Vec<Option<Vec<String>>>,
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
    /// What `*` stands for, if that is known.
    output: Option<Vec<(String, Expr)>>,
}

impl Side {
    /// Whether a column is known to have that name.
    fn has(&self, name: &str) -> bool {
        let of_relation = |columns: &Option<Vec<String>>| columns.iter().flatten().any(|column| column == name);
        self.merged.iter().any(|(merged, _)| merged == name)
            || self.relations.iter().any(|(_, columns)| of_relation(columns))
    }

    /// The column of that name.
    fn column(&self, name: &Ident) -> Option<Expr> {
        if let Some((_, expr)) = self.merged.iter().find(|(merged, _)| *merged == fold(name)) {
            return Some(expr.clone());
        }
        let relation = match self.relations.as_slice() {
            [(only, _)] => only,
            relations => {
                let has = |columns: &Option<Vec<String>>| {
                    columns.as_ref().is_none_or(|columns| columns.contains(&fold(name)))
                };
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
                if name != UNNAMED && !names.contains(name) {
                    names.push(name.clone());
                }
            }
        }
        Some(names)
    }
}

impl<'a> Merged<'a> {
    fn new(columns: Vec<(String, Expr)>, columns_of: &'a dyn Fn(&ObjectName) -> Option<Vec<String>>) -> Self {
        Self {
            columns,
            columns_of,
            merges: false,
            has_outer: false,
            has_conditions: false,
            within: Vec::new(),
            parameters: Vec::new(),
        }
    }

    fn read(&mut self, from: &mut TableWithJoins) -> Result<Side> {
        let mut left = self.factor(&mut from.relation)?;
        for join in &mut from.joins {
            let mut right = self.factor(&mut join.relation)?;
            let names = using(join, &left, &right)?;
            self.merges |= !names.is_empty();
            let kept = kept(&join.join_operator);
            let mut merged = Vec::new();
            if names.iter().any(|name| left.outer.contains(&fold(name)) || right.outer.contains(&fold(name))) {
                self.has_conditions = true;
                let equal = |name| Some((left.column(name)?, right.column(name)?));
                let pairs = names
                    .iter()
                    .map(|name| equal(name).ok_or_else(|| unknown_column(name)))
                    .collect::<Result<Vec<_>>>()?;
                if let (Some(constraint), Some(condition)) = (constraint_of(&mut join.join_operator), all_equal(pairs))
                {
                    *constraint = JoinConstraint::On(condition);
                }
            }
            for name in names {
                let expr = match (kept, left.column(&name), right.column(&name)) {
                    (Kept::Left | Kept::Either, Some(left), _) => left,
                    (Kept::Either | Kept::Right, _, Some(right)) => right,
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
            // What both sides have is ambiguous from here on.
            let mut earlier: Vec<(String, Expr)> =
                left.merged.iter().filter(|(name, _)| !right.has(name)).cloned().collect();
            earlier.extend(right.merged.iter().filter(|(name, _)| !left.has(name)).cloned());
            earlier.retain(is_new);
            let output = left.output.take().zip(right.output.take());
            left.output = output.map(|(left, right)| {
                merged.iter().cloned().chain(left.into_iter().chain(right).filter(is_new)).collect()
            });
            left.merged = merged.into_iter().chain(earlier).collect();
            left.outer.extend(right.outer);
            left.relations.extend(right.relations);
            if let Some(JoinConstraint::On(condition)) = constraint_of(&mut join.join_operator)
                && !left.merged.is_empty()
            {
                let _: ControlFlow<()> = condition.visit(&mut Merged::new(left.merged.clone(), self.columns_of));
            }
        }
        Ok(left)
    }

    fn factor(&mut self, factor: &mut TableFactor) -> Result<Side> {
        if let TableFactor::NestedJoin { table_with_joins, alias: None } = factor {
            return self.read(table_with_joins);
        }
        let (qualifier, columns) = relation(factor, self.columns_of);
        let is_named = |columns: &[String], at: usize, name: &String| {
            name != UNNAMED && !columns.iter().take(at).any(|other| other == name)
        };
        let is_unique =
            |columns: &&Vec<String>| columns.iter().enumerate().all(|(at, name)| is_named(columns, at, name));
        let column = |qualifier: &Ident, name: &String| {
            Expr::CompoundIdentifier(vec![qualifier.clone(), Ident::with_quote('"', name)])
        };
        let output = qualifier.as_ref().zip(columns.as_ref().filter(is_unique));
        let output = output
            .map(|(qualifier, columns)| columns.iter().map(|name| (name.clone(), column(qualifier, name))).collect());
        Ok(Side { relations: vec![(qualifier, columns)], output, ..Side::default() })
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
            // What DISTINCT sorts by is found again under its name alone.
            let name = select.projection.iter().find_map(|item| match item {
                SelectItem::ExprWithAlias { expr, alias } if *expr == expression.expr => Some(alias.clone()),
                _ => None,
            });
            if let (Some(name), Some(_)) = (name, &select.distinct) {
                expression.expr = Expr::Identifier(name);
            }
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
            SelectItem::Wildcard(options)
                if self.has_outer && options.opt_replace.is_none() && options.opt_exclude.is_none() =>
            {
                let element = |(name, expr): &(String, Expr)| {
                    Box::new(ReplaceSelectElement {
                        expr: expr.clone(),
                        column_name: Ident::with_quote('"', name),
                        as_keyword: true,
                    })
                };
                options.opt_replace = Some(ReplaceSelectItem { items: self.columns.iter().map(element).collect() });
            }
            _ => {}
        }
    }
}

/// The name of what stands in FROM and its columns, as far as they are known.
fn relation(
    factor: &TableFactor,
    columns_of: &dyn Fn(&ObjectName) -> Option<Vec<String>>,
) -> (Option<Ident>, Option<Vec<String>>) {
    match factor {
        TableFactor::Table { name, alias, args: None, .. } => {
            let qualifier = alias.as_ref().map(|alias| alias.name.clone());
            let qualifier = qualifier.or_else(|| name.0.last().and_then(|part| part.as_ident()).cloned());
            (qualifier, renamed(columns_of(name), alias.as_ref()))
        }
        TableFactor::Derived { subquery, alias, .. } => {
            let columns = derived(&subquery.body, columns_of);
            (alias.as_ref().map(|alias| alias.name.clone()), renamed(columns, alias.as_ref()))
        }
        // A function of one column gives it the name of its alias.
        TableFactor::Table { args: Some(_), alias: Some(alias), .. }
        | TableFactor::Function { alias: Some(alias), .. } => {
            (Some(alias.name.clone()), renamed(Some(vec![fold(&alias.name)]), Some(alias)))
        }
        TableFactor::UNNEST { alias: Some(alias), array_exprs, .. } if array_exprs.len() == 1 => {
            (Some(alias.name.clone()), renamed(Some(vec![fold(&alias.name)]), Some(alias)))
        }
        _ => (None, None),
    }
}

/// The names that a query knows without those around it: of columns in FROM, and those that it gives.
pub(super) fn names_within(
    query: &Query,
    columns_of: &dyn Fn(&ObjectName) -> Option<Vec<String>>,
) -> Option<Vec<String>> {
    fn of_body(
        body: &SetExpr,
        columns_of: &dyn Fn(&ObjectName) -> Option<Vec<String>>,
        names: &mut Vec<String>,
    ) -> Option<()> {
        match body {
            SetExpr::Select(select) => {
                names.extend(select.projection.iter().filter_map(|item| match item {
                    SelectItem::ExprWithAlias { alias, .. } => Some(fold(alias)),
                    _ => None,
                }));
                names.extend(columns_of_from(&select.from, columns_of)?);
                Some(())
            }
            SetExpr::SetOperation { left, right, .. } => {
                of_body(left, columns_of, names)?;
                of_body(right, columns_of, names)
            }
            // Visited as a query of its own.
            SetExpr::Query(_) | SetExpr::Values(_) => Some(()),
            _ => None,
        }
    }
    let mut names = Vec::new();
    if query.with.is_some() {
        return None;
    }
    of_body(&query.body, columns_of, &mut names).map(|()| names)
}

/// The columns of the items of FROM, if all are known.
pub(super) fn columns_of_from(
    from: &[TableWithJoins],
    columns_of: &dyn Fn(&ObjectName) -> Option<Vec<String>>,
) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for from in from {
        for factor in std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)) {
            names.extend(match factor {
                TableFactor::NestedJoin { table_with_joins, alias: None } => {
                    columns_of_from(std::slice::from_ref(table_with_joins.as_ref()), columns_of)?
                }
                factor => relation(factor, columns_of).1?,
            });
        }
    }
    Some(names)
}

/// Writes the columns that `*` stands for.
fn expand_stars(projection: &mut Vec<SelectItem>, outputs: &[(String, Expr)]) {
    let is_star = |item: &SelectItem| matches!(item, SelectItem::Wildcard(options) if *options == WildcardAdditionalOptions::default());
    if !projection.iter().any(is_star) {
        return;
    }
    let column = |(name, expr): &(String, Expr)| match expr {
        Expr::CompoundIdentifier(parts) if parts.last().is_some_and(|part| fold(part) == *name) => {
            SelectItem::UnnamedExpr(expr.clone())
        }
        _ => SelectItem::ExprWithAlias { expr: expr.clone(), alias: Ident::with_quote('"', name) },
    };
    let items = std::mem::take(projection).into_iter();
    *projection =
        items.flat_map(|item| if is_star(&item) { outputs.iter().map(column).collect() } else { vec![item] }).collect();
}

/// The name of a column that a SELECT gives.
pub(super) fn output_name(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(fold(name)),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts.last().map(fold),
        SelectItem::ExprWithAlias { alias, .. } => Some(fold(alias)),
        _ => None,
    }
}

/// In place of the name of a column that has none; no statement can spell it.
const UNNAMED: &str = "\0unnamed";

/// The columns of a subquery, if they are plain enough to be known.
pub(crate) fn derived(body: &SetExpr, columns_of: &dyn Fn(&ObjectName) -> Option<Vec<String>>) -> Option<Vec<String>> {
    let select = match body {
        SetExpr::Select(select) => select,
        SetExpr::Query(query) => return derived(&query.body, columns_of),
        SetExpr::SetOperation { left, .. } => return derived(left, columns_of),
        SetExpr::Values(values) => {
            return values.rows.first().map(|row| (1..=row.content.len()).map(|at| format!("column{at}")).collect());
        }
        _ => return None,
    };
    let star = || match select.from.as_slice() {
        [TableWithJoins { relation: TableFactor::Table { name, alias, args: None, .. }, joins }]
            if joins.is_empty() =>
        {
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
            SelectItem::UnnamedExpr(expr)
                if !matches!(
                    expr,
                    Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Cast { .. } | Expr::Nested(_)
                ) =>
            {
                names.push(UNNAMED.to_owned());
            }
            item => names.push(output_name(item)?),
        }
    }
    Some(names)
}

pub(crate) fn renamed(columns: Option<Vec<String>>, alias: Option<&TableAlias>) -> Option<Vec<String>> {
    let given: Vec<String> = alias.iter().flat_map(|alias| &alias.columns).map(|column| fold(&column.name)).collect();
    let rest = columns?.into_iter().skip(given.len());
    Some(given.into_iter().chain(rest).collect())
}

fn unknown_column(name: &Ident) -> Error {
    Error::unsupported(format!(
        "USING over column {name} in a RIGHT or FULL join whose left side has it from an unknown table"
    ))
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
    pairs.into_iter().map(equal).reduce(|left, right| Expr::BinaryOp {
        left: Box::new(left),
        op: BinaryOperator::And,
        right: Box::new(right),
    })
}

/// The columns that a join makes one of two. Writes USING for NATURAL in a RIGHT or FULL join, so that the planner
/// takes the same ones.
fn using(join: &mut Join, left: &Side, right: &Side) -> Result<Vec<Ident>> {
    let is_outer = matches!(kept(&join.join_operator), Kept::Right | Kept::Both);
    let Some(constraint) = constraint_of(&mut join.join_operator) else { return Ok(Vec::new()) };
    match constraint {
        JoinConstraint::Using(names) => {
            let names = names
                .iter()
                .map(|name| name.0.last().and_then(|part| part.as_ident()).cloned())
                .collect::<Option<Vec<_>>>();
            Ok(names.unwrap_or_default())
        }
        JoinConstraint::Natural => match (left.names(), right.names()) {
            (Some(left), Some(right)) => {
                let common: Vec<Ident> =
                    left.iter().filter(|name| right.contains(name)).map(|name| Ident::with_quote('"', name)).collect();
                if is_outer && !common.is_empty() {
                    *constraint =
                        JoinConstraint::Using(common.iter().map(|name| ObjectName::from(vec![name.clone()])).collect());
                }
                Ok(common)
            }
            _ if is_outer => Err(Error::unsupported(
                "NATURAL in a RIGHT or FULL join of something whose columns are not known before it is planned",
            )
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

/// The parameters of a lambda, `x -> x + 1`. It is told from an operator of JSON by its body, which names them.
fn parameters(expr: &Expr) -> Vec<String> {
    let Expr::BinaryOp { left, op: BinaryOperator::Arrow, right } = expr else { return Vec::new() };
    let listed = match left.as_ref() {
        Expr::Tuple(listed) => listed.as_slice(),
        Expr::Nested(only) => std::slice::from_ref(only.as_ref()),
        only => std::slice::from_ref(only),
    };
    let name = |expr: &Expr| match expr {
        Expr::Identifier(name) => Some(fold(name)),
        _ => None,
    };
    let is_named = |parameter: &String| {
        let named = |expr: &Expr| {
            if name(expr).as_ref() == Some(parameter) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        visit_expressions(right.as_ref(), named).is_break()
    };
    listed.iter().filter_map(name).filter(is_named).collect()
}

impl VisitorMut for Merged<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.within.push(names_within(query, self.columns_of));
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.within.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        self.parameters.extend(parameters(expr));
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let n_own = parameters(expr).len();
        self.parameters.truncate(self.parameters.len().saturating_sub(n_own));
        if let Expr::Identifier(name) = &*expr
            && let Some((known, column)) = self.columns.iter().find(|(known, _)| *known == fold(name))
            && !self.parameters.contains(known)
            && self.within.iter().all(|names| names.as_ref().is_some_and(|names| !names.contains(known)))
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
