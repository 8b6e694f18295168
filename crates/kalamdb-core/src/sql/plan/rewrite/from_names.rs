//! What the columns of FROM items are called: functions in FROM by their alias or their own name, and those that an
//! alias leaves out by the names that they had.

use std::ops::ControlFlow;

use datafusion::common::Result;
use datafusion::logical_expr::planner::{PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::{self, Distinct, LogicalPlan};
use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, Expr, FunctionArg, FunctionArgExpr, Ident, Join, JoinOperator, ObjectNamePart, Query, Select,
    SelectItem, SetExpr, Statement, TableAlias, TableAliasColumnDef, TableFactor, Value, Visit, VisitMut, Visitor,
    VisitorMut,
};
use datafusion::sql::sqlparser::parser::Parser;

use super::queries::unnest_laterally;
use super::{ordinality, row_functions};
use crate::sql::parse::{SqlDialect, call, fold};

/// Plans `t AS s (q)` where t has more columns than names are given, and `(SELECT t.a) AS s` where t is around it.
#[derive(Debug)]
pub(crate) struct ShortAliases;

impl RelationPlanner for ShortAliases {
    fn plan_relation(
        &self,
        mut relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let is_query = matches!(relation, TableFactor::Derived { .. });
        let alias = match alias_of(&mut relation) {
            Some(alias) if alias.as_ref().is_some_and(|alias| is_query || !alias.columns.is_empty()) => alias.take(),
            _ => None,
        };
        let Some(mut alias) = alias else { return Ok(RelationPlanning::Original(Box::new(relation))) };
        let plan = context.plan(relation)?;
        let outer = outer_names(&plan);
        if alias.columns.is_empty() && outer.iter().all(Option::is_none) {
            return Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, Some(alias)))));
        }
        let rest = plan.schema().fields().iter().enumerate().skip(alias.columns.len());
        alias.columns.extend(rest.map(|(at, field)| {
            let name = outer.get(at).and_then(Option::as_deref).unwrap_or(field.name());
            TableAliasColumnDef { name: Ident::with_quote('"', name), data_type: None }
        }));
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, Some(alias)))))
    }
}

/// The names of a query's columns that are nothing but columns of a query around it: the planner calls them otherwise.
fn outer_names(plan: &LogicalPlan) -> Vec<Option<String>> {
    match plan {
        LogicalPlan::Projection(projection) => {
            let name = |expr: &logical_expr::Expr| match expr {
                logical_expr::Expr::OuterReferenceColumn(_, column) => Some(column.name.clone()),
                _ => None,
            };
            projection.expr.iter().map(name).collect()
        }
        LogicalPlan::Sort(sort) => outer_names(&sort.input),
        LogicalPlan::Limit(limit) => outer_names(&limit.input),
        LogicalPlan::Distinct(Distinct::All(input)) => outer_names(input),
        _ => Vec::new(),
    }
}

fn alias_of(relation: &mut TableFactor) -> Option<&mut Option<TableAlias>> {
    match relation {
        TableFactor::Table { alias, .. }
        | TableFactor::Derived { alias, .. }
        | TableFactor::UNNEST { alias, .. }
        | TableFactor::Function { alias, .. }
        | TableFactor::NestedJoin { alias, .. } => Some(alias),
        _ => None,
    }
}

/// Whether [`name_columns`] would change anything.
pub(crate) fn has_nameless(statement: &Statement) -> bool {
    statement.visit(&mut Finder).is_break()
}

struct Finder;

impl Visitor for Finder {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        if select.from.iter().any(|from| from.joins.iter().any(keeps_right)) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match function_name(factor) {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let is_named = query
            .with
            .as_ref()
            .is_some_and(|with| with.recursive || with.cte_tables.iter().any(|cte| !cte.alias.columns.is_empty()));
        if is_named { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// The name of a function in FROM that has one column, and its alias.
fn function_name(factor: &TableFactor) -> Option<(Ident, Option<&TableAlias>)> {
    match factor {
        TableFactor::Table { name, args: Some(_), alias, .. } | TableFactor::Function { name, alias, .. } => {
            let [ObjectNamePart::Identifier(name)] = name.0.as_slice() else { return None };
            Some((name.clone(), alias.as_ref()))
        }
        TableFactor::UNNEST { array_exprs, alias, .. } if array_exprs.len() == 1 => {
            Some((Ident::new("unnest"), alias.as_ref()))
        }
        _ => None,
    }
}

/// Names the columns of functions in FROM, and writes `WITH c (a) AS (query)` as
/// `WITH c AS (SELECT * FROM (query) AS c (a))`.
pub(crate) fn name_columns(statement: &mut Statement) {
    let _: ControlFlow<()> = statement.visit(&mut Namer);
}

struct Namer;

/// Whether a join is one in which the planner takes UNNEST for a reference to the other side, which it cannot be.
fn keeps_right(join: &Join) -> bool {
    matches!(join.join_operator, JoinOperator::Right(_) | JoinOperator::RightOuter(_) | JoinOperator::FullOuter(_))
        && matches!(join.relation, TableFactor::UNNEST { .. })
}

/// Writes a function that names columns of the items before it, `FROM t, unnest(t.a) AS u (x)`, as
/// `LATERAL (SELECT unnest(t.a)) AS u (x)`; one that names none as a query, if it must not be taken for such. What the
/// first item names are columns of a query around it.
fn make_query(factor: &mut TableFactor, must: bool, has_before: bool) {
    unnest_laterally(factor);
    let name = function_name(factor).map(|(name, _)| name);
    let parts = name.as_ref().and_then(|name| row_functions::parts(&fold(name)));
    let has_columns = parts.is_some_and(|parts| parts.iter().any(|part| part.column.is_some()));
    ordinality::number(factor, name.filter(|_| !has_columns), has_before);
    let Some((name, _)) = function_name(factor) else { return };
    let arg = match factor {
        TableFactor::UNNEST { array_exprs, .. } => array_exprs.first().cloned(),
        TableFactor::Table { args: Some(args), .. } => call_of(name.clone(), &args.args),
        TableFactor::Function { args, .. } if name.value.eq_ignore_ascii_case("unnest") => {
            args.first().and_then(expr_of)
        }
        TableFactor::Function { args, .. } => call_of(name.clone(), args),
        _ => None,
    };
    let Some(arg) = arg else { return };
    let names_column = arg.visit(&mut NamesColumn).is_break();
    if !names_column && !must && parts.is_none() {
        return;
    }
    let lateral = names_column && has_before;
    let Some(mut query) = select_from_derived() else { return };
    let alias = alias_of(factor).and_then(Option::take);
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.projection = match parts {
            Some(parts) => parts.iter().map(|part| part.item(&arg)).collect(),
            None => vec![SelectItem::UnnamedExpr(call(Ident::new("unnest"), vec![arg]))],
        };
        select.from = Vec::new();
    }
    let alias =
        alias.or_else(|| Some(TableAlias { explicit: true, name, columns: Vec::new(), at: None })).map(|mut alias| {
            if alias.columns.is_empty() && !has_columns {
                alias.columns.push(TableAliasColumnDef { name: alias.name.clone(), data_type: None });
            }
            alias
        });
    *factor = TableFactor::Derived { lateral, subquery: query, alias, sample: None };
}

fn call_of(name: Ident, args: &[FunctionArg]) -> Option<Expr> {
    Some(call(name, args.iter().map(expr_of).collect::<Option<Vec<_>>>()?))
}

fn expr_of(arg: &FunctionArg) -> Option<Expr> {
    match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    }
}

/// Stops at a column.
struct NamesColumn;

impl Visitor for NamesColumn {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl VisitorMut for Namer {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for (at, from) in select.from.iter_mut().enumerate() {
            make_query(&mut from.relation, false, at > 0);
            for join in &mut from.joins {
                let must = keeps_right(join);
                make_query(&mut join.relation, must, true);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        let Some((name, alias)) = function_name(factor) else { return ControlFlow::Continue(()) };
        if alias.is_some_and(|alias| !alias.columns.is_empty()) {
            return ControlFlow::Continue(());
        }
        let name = alias.map_or(name, |alias| alias.name.clone());
        let columns = vec![TableAliasColumnDef { name: name.clone(), data_type: None }];
        if let Some(slot) = alias_of(factor) {
            *slot = Some(TableAlias { explicit: true, name, columns, at: None });
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let Some(with) = query.with.as_mut() else { return ControlFlow::Continue(()) };
        if with.recursive {
            with.cte_tables.iter_mut().for_each(|cte| prepare_terms(&mut cte.query));
            return ControlFlow::Continue(());
        }
        for cte in with.cte_tables.iter_mut().filter(|cte| !cte.alias.columns.is_empty()) {
            let Some(mut outer) = select_from_derived() else { return ControlFlow::Continue(()) };
            let columns = std::mem::take(&mut cte.alias.columns);
            if let SetExpr::Select(select) = outer.body.as_mut()
                && let Some(TableFactor::Derived { subquery, alias, .. }) =
                    select.from.first_mut().map(|from| &mut from.relation)
            {
                std::mem::swap(subquery, &mut cte.query);
                *alias = Some(TableAlias {
                    explicit: true,
                    name: Ident::with_quote('"', fold(&cte.alias.name)),
                    columns,
                    at: None,
                });
                cte.query = outer;
            }
        }
        ControlFlow::Continue(())
    }
}

/// Gives the terms of a recursive query types that can be compared: a NULL in the first one is a text, as in
/// PostgreSQL, and a cast in the second one is told from those that the planner adds.
fn prepare_terms(query: &mut Query) {
    let SetExpr::SetOperation { left, right, .. } = query.body.as_mut() else { return };
    if let SetExpr::Select(select) = left.as_mut() {
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item
                && matches!(expr, Expr::Value(value) if value.value == Value::Null)
            {
                let null = std::mem::replace(expr, Expr::Value(Value::Null.into()));
                *expr = Expr::Cast {
                    kind: CastKind::Cast,
                    expr: Box::new(null),
                    data_type: DataType::Text,
                    array: false,
                    format: None,
                };
            }
        }
    }
    if let SetExpr::Select(select) = right.as_mut() {
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item
                && matches!(expr, Expr::Cast { .. })
            {
                let cast = std::mem::replace(expr, Expr::Value(Value::Null.into()));
                *expr = call(Ident::new("coalesce"), vec![cast]);
            }
        }
    }
}

/// `SELECT * FROM (SELECT 1)`, parsed rather than built, so that every clause has its default.
pub(super) fn select_from_derived() -> Option<Box<Query>> {
    let mut parser = Parser::new(&SqlDialect::PLAIN).try_with_sql("SELECT * FROM (SELECT 1)").ok()?;
    parser.parse_query().ok()
}
