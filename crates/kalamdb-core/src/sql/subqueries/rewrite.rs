//! Makes every subquery of a plan one that can be executed.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, DataFusionError, JoinType};
use datafusion::error::Result;
use datafusion::functions_window::row_number::row_number;
use datafusion::logical_expr::expr::{Exists, InSubquery, SetComparison, WindowFunctionParams};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::logical_plan::{
    Aggregate, Filter, Join, Projection, Sort, Subquery, Union, Values, Window,
};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, SortExpr, WindowFrame, WindowFrameBound, WindowFrameUnits,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::optimizer::analyzer::resolve_grouping_function::ResolveGroupingFunction;

use super::hoist::Hoist;
use super::outer::outer_columns;
use super::{lateral, outer_aggregates, scalar, shape};
use crate::error::{Error, into_datafusion};
use crate::sql::analyzer::{RepeatedKeys, any_expression};

/// Makes every subquery of a plan one that can be executed, with the meaning that SQL gives it.
pub(crate) fn rewrite(plan: LogicalPlan) -> Result<LogicalPlan> {
    if !plan_holds_subquery(&plan)? {
        return Ok(plan);
    }
    let plan = Rewriter::default().plan(plan)?;
    match outer_columns(&plan)?.first() {
        Some((_, column)) => Err(unsupported(&format!(
            "a subquery in this place that names column {} of the query around it",
            column.flat_name()
        ))),
        None => Ok(plan),
    }
}

/// Whether any expression of the plan holds a subquery: what ordinary statements are asked, and no more.
fn plan_holds_subquery(plan: &LogicalPlan) -> Result<bool> {
    plan.exists(|node| Ok(matches!(node, LogicalPlan::Subquery(_)) || node_holds_subquery(node)?))
}

fn node_holds_subquery(node: &LogicalPlan) -> Result<bool> {
    any_expression(node, |expr| Ok(holds_subquery(expr)))
}

pub(super) fn holds_subquery(expr: &Expr) -> bool {
    expr.exists(|expr| Ok(is_subquery(expr))).unwrap_or(true)
}

/// Whether this is a HAVING or WHERE that holds a subquery.
fn filter_holds_subquery(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Filter(filter) if holds_subquery(&filter.predicate))
}

/// An expression with another subquery in place of its own.
pub(super) fn with_subquery(
    expr: Expr,
    new: &mut dyn FnMut(Subquery) -> Result<Subquery>,
) -> Result<Transformed<Expr>> {
    Ok(match expr {
        Expr::ScalarSubquery(subquery) => Transformed::yes(Expr::ScalarSubquery(new(subquery)?)),
        Expr::Exists(Exists { subquery, negated }) => {
            Transformed::yes(Expr::Exists(Exists { subquery: new(subquery)?, negated }))
        }
        Expr::InSubquery(within) => {
            Transformed::yes(Expr::InSubquery(InSubquery { subquery: new(within.subquery)?, ..within }))
        }
        Expr::SetComparison(comparison) => {
            Transformed::yes(Expr::SetComparison(SetComparison { subquery: new(comparison.subquery)?, ..comparison }))
        }
        other => Transformed::no(other),
    })
}

fn subquery_of(expr: &Expr) -> Option<&Subquery> {
    match expr {
        Expr::ScalarSubquery(subquery)
        | Expr::Exists(Exists { subquery, .. })
        | Expr::InSubquery(InSubquery { subquery, .. })
        | Expr::SetComparison(SetComparison { subquery, .. }) => Some(subquery),
        _ => None,
    }
}

fn is_subquery(expr: &Expr) -> bool {
    subquery_of(expr).is_some()
}

/// Rewrites one statement's plan.
#[derive(Debug, Default)]
pub(super) struct Rewriter {
    n_names: usize,
}

impl Rewriter {
    /// A number that nothing else in the statement has.
    pub(super) fn next_number(&mut self) -> usize {
        self.n_names += 1;
        self.n_names
    }

    pub(super) fn plan(&mut self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let plan = match plan {
            LogicalPlan::Projection(projection)
                if projection.expr.iter().any(holds_subquery) || filter_holds_subquery(&projection.input) =>
            {
                outer_aggregates::lift(self, projection)?
            }
            plan => plan,
        };
        let right = match &plan {
            LogicalPlan::Join(join) => Some(lateral::Right::new(&join.right)?),
            _ => None,
        };
        let plan = plan.map_children(|child| Ok(Transformed::yes(self.plan(child)?)))?.data;
        let plan = match (plan, right) {
            (LogicalPlan::Join(join), Some(right)) => lateral::rewrite(self, join, &right)?,
            (LogicalPlan::Aggregate(aggregate), _) => {
                refuse_outer_aggregates(&aggregate)?;
                lateral::unwrap_children(resolve_grouping(LogicalPlan::Aggregate(aggregate))?)?
            }
            (LogicalPlan::Window(mut window), _) => {
                window.window_expr = window.window_expr.into_iter().map(without_outer_keys).collect::<Result<_>>()?;
                lateral::unwrap_children(LogicalPlan::Window(window))?
            }
            (plan, _) => lateral::unwrap_children(plan)?,
        };
        if !node_holds_subquery(&plan)? {
            return match plan {
                LogicalPlan::Values(values) if values.values.iter().flatten().any(Expr::contains_outer) => {
                    self.values(values)
                }
                plan => Ok(plan),
            };
        }
        let names = NamePreserver::new(&plan);
        // What is inside a subquery first: its own subqueries are then settled, or correlated to this plan or one
        // around it.
        let plan = plan
            .map_expressions(|expr| {
                let name = names.save(&expr);
                Ok(Transformed::yes(name.restore(self.inside(expr)?)))
            })?
            .data;
        match plan {
            LogicalPlan::Filter(filter) => self.filter(filter),
            LogicalPlan::Projection(projection) => self.projection(projection),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            LogicalPlan::Window(window) => self.window(window),
            LogicalPlan::Sort(sort) => self.sort(sort),
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Values(values) => self.values(values),
            other => {
                let schema = DFSchema::empty();
                let stays = other.expressions().iter().all(|expr| !needs_apply(expr, &schema, false).unwrap_or(true));
                if stays {
                    Ok(other)
                } else {
                    Err(unsupported("a subquery in this place, where it is not a plain value"))
                }
            }
        }
    }

    /// Rewrites the plans of an expression's subqueries.
    fn inside(&mut self, expr: Expr) -> Result<Expr> {
        let mut subquery = |subquery: Subquery| -> Result<Subquery> {
            let plan = self.plan(Arc::unwrap_or_clone(subquery.subquery))?;
            let outer_ref_columns = outer_columns(&plan)?
                .into_iter()
                .map(|(field, column)| Expr::OuterReferenceColumn(field, column))
                .collect();
            Ok(Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: subquery.spans })
        };
        let expr = expr.transform_up(|expr| {
            Ok(match expr {
                Expr::ScalarSubquery(inner) => {
                    Transformed::yes(Expr::ScalarSubquery(scalar::nullable(subquery(inner)?)?))
                }
                Expr::Exists(Exists { subquery: inner, negated }) => {
                    let inner = shape::rows_alone(inner)?;
                    Transformed::yes(Expr::Exists(Exists { subquery: subquery(inner)?, negated }))
                }
                Expr::InSubquery(within) => {
                    let inner = shape::unsorted(within.subquery)?;
                    Transformed::yes(Expr::InSubquery(InSubquery { subquery: subquery(inner)?, ..within }))
                }
                Expr::SetComparison(comparison) => Transformed::yes(Expr::SetComparison(SetComparison {
                    subquery: subquery(comparison.subquery)?,
                    ..comparison
                })),
                other => Transformed::no(other),
            })
        })?;
        Ok(expr.data)
    }

    /// Conditions without an Apply stay below those with one: they leave it fewer rows.
    fn filter(&mut self, filter: Filter) -> Result<LogicalPlan> {
        let input = filter.input;
        let mut conditions = Vec::new();
        let mut applied = Vec::new();
        for condition in split_conjunction_owned(filter.predicate) {
            match needs_apply(&condition, input.schema(), true)? {
                true => applied.push(condition),
                false => conditions.push(condition),
            }
        }
        let columns = input.schema().columns();
        let input = match conjunction(conditions) {
            Some(condition) => LogicalPlan::Filter(Filter::try_new(condition, input)?),
            None => Arc::unwrap_or_clone(input),
        };
        if applied.is_empty() {
            return Ok(input);
        }
        let mut hoist = Hoist::new(self, input, true);
        let applied = applied.into_iter().map(|condition| hoist.expr(condition)).collect::<Result<Vec<_>>>()?;
        let builder = LogicalPlanBuilder::from(hoist.into_input());
        let builder = match conjunction(applied) {
            Some(condition) => builder.filter(condition)?,
            None => builder,
        };
        builder.project(columns.into_iter().map(Expr::from))?.build()
    }

    fn projection(&mut self, projection: Projection) -> Result<LogicalPlan> {
        let names = NamePreserver::new_for_projection();
        let mut hoist = Hoist::new(self, Arc::unwrap_or_clone(projection.input), true);
        let exprs = hoist.named(projection.expr, &names)?;
        Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(hoist.into_input()))?))
    }

    fn aggregate(&mut self, aggregate: Aggregate) -> Result<LogicalPlan> {
        if aggregate.group_expr.iter().any(|expr| matches!(expr, Expr::GroupingSet(_)) && holds_subquery(expr)) {
            return Err(unsupported("a subquery in GROUPING SETS, ROLLUP or CUBE"));
        }
        let names = NamePreserver::new_for_projection();
        let mut hoist = Hoist::new(self, Arc::unwrap_or_clone(aggregate.input), false);
        let groups = hoist.named(aggregate.group_expr, &names)?;
        let aggregates = hoist.named(aggregate.aggr_expr, &names)?;
        Ok(LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(hoist.into_input()), groups, aggregates)?))
    }

    fn window(&mut self, window: Window) -> Result<LogicalPlan> {
        let columns = window.schema.columns();
        let names = NamePreserver::new_for_projection();
        let mut hoist = Hoist::new(self, Arc::unwrap_or_clone(window.input), false);
        let exprs = hoist.named(window.window_expr, &names)?;
        let window = LogicalPlan::Window(Window::try_new(exprs, Arc::new(hoist.into_input()))?);
        LogicalPlanBuilder::from(window).project(columns.into_iter().map(Expr::from))?.build()
    }

    fn sort(&mut self, sort: Sort) -> Result<LogicalPlan> {
        let columns = sort.input.schema().columns();
        let input = with_outer_columns(Arc::unwrap_or_clone(sort.input), &sort.expr)?;
        let mut hoist = Hoist::new(self, input, false);
        let expr = sort
            .expr
            .into_iter()
            .map(|by| {
                let expr = hoist.expr(by.expr.clone())?;
                Ok(by.with_expr(expr))
            })
            .collect::<Result<Vec<_>>>()?;
        let sort = LogicalPlan::Sort(Sort { expr, input: Arc::new(hoist.into_input()), fetch: sort.fetch });
        LogicalPlanBuilder::from(sort).project(columns.into_iter().map(Expr::from))?.build()
    }

    /// Rows of VALUES are evaluated when the plan is made, before any subquery has run: each becomes a SELECT without
    /// FROM.
    fn values(&mut self, values: Values) -> Result<LogicalPlan> {
        let fields = values.schema.fields();
        let mut rows = Vec::with_capacity(values.values.len());
        for row in values.values {
            let schema = DFSchema::empty();
            let exprs = row
                .into_iter()
                .zip(fields)
                .map(|(expr, field)| Ok(expr.cast_to(field.data_type(), &schema)?.alias(field.name())))
                .collect::<Result<Vec<_>>>()?;
            let row = LogicalPlanBuilder::empty(true).build()?;
            rows.push(Arc::new(self.projection(Projection::try_new(exprs, Arc::new(row))?)?));
        }
        match <[Arc<LogicalPlan>; 1]>::try_from(rows) {
            Ok([only]) => Ok(Arc::unwrap_or_clone(only)),
            Err(rows) => Ok(LogicalPlan::Union(Union::try_new(rows)?)),
        }
    }

    fn join(&mut self, join: Join) -> Result<LogicalPlan> {
        let mut conditions: Vec<Expr> = join.filter.into_iter().flat_map(split_conjunction_owned).collect();
        let (on, on_subqueries): (Vec<_>, Vec<_>) =
            join.on.into_iter().partition(|(left, right)| !holds_subquery(left) && !holds_subquery(right));
        conditions.extend(on_subqueries.into_iter().map(|(left, right)| left.eq(right)));
        let schema = Arc::clone(&join.schema);
        let (mut applied, mut kept) = (Vec::new(), Vec::new());
        for condition in conditions {
            match needs_apply(&condition, &schema, false)? {
                true => applied.push(condition),
                false => kept.push(condition),
            }
        }
        let rebuild = |left: Arc<LogicalPlan>, right: Arc<LogicalPlan>, conditions: Vec<Expr>| {
            let filter = conjunction(conditions);
            let join = Join::try_new(
                left,
                right,
                on.clone(),
                filter,
                join.join_type,
                join.join_constraint,
                join.null_equality,
                join.null_aware,
            )?;
            Ok::<_, datafusion::error::DataFusionError>(LogicalPlan::Join(join))
        };
        if applied.is_empty() {
            return rebuild(join.left, join.right, kept);
        }
        if join.join_type == JoinType::Inner {
            let plan = rebuild(join.left, join.right, kept)?;
            return match conjunction(applied) {
                Some(condition) => self.filter(Filter::try_new(condition, Arc::new(plan))?),
                None => Ok(plan),
            };
        }
        let is_about_one = |condition: &Expr| {
            Ok::<_, DataFusionError>(
                is_about(condition, join.left.schema())? || is_about(condition, join.right.schema())?,
            )
        };
        if !applied.iter().map(is_about_one).collect::<Result<Vec<_>>>()?.into_iter().all(|one| one) {
            let conditions = on.iter().map(|(left, right)| left.clone().eq(right.clone())).chain(kept).chain(applied);
            return self.pairs(&join.left, &join.right, join.join_type, conjunction(conditions), &schema);
        }
        // An outer join's condition is no filter: what it asks of one side is answered below the join, on that side.
        let mut left = Arc::unwrap_or_clone(join.left);
        let mut right = Arc::unwrap_or_clone(join.right);
        for condition in applied {
            let condition = if is_about(&condition, left.schema())? {
                let mut hoist = Hoist::new(self, left, false);
                let condition = hoist.expr(condition)?;
                left = hoist.into_input();
                condition
            } else if is_about(&condition, right.schema())? {
                let mut hoist = Hoist::new(self, right, false);
                let condition = hoist.expr(condition)?;
                right = hoist.into_input();
                condition
            } else {
                return Err(unsupported("a subquery in ON of this kind of join"));
            };
            kept.push(condition);
        }
        let plan = rebuild(Arc::new(left), Arc::new(right), kept)?;
        LogicalPlanBuilder::from(plan).project(schema.columns().into_iter().map(Expr::from))?.build()
    }

    /// An outer join on any condition: the rows of both sides are numbered, the pairs of numbers that meet the
    /// condition are found by an inner join, and the sides are joined by these.
    fn pairs(
        &mut self,
        left: &Arc<LogicalPlan>,
        right: &Arc<LogicalPlan>,
        join_type: JoinType,
        condition: Option<Expr>,
        schema: &DFSchema,
    ) -> Result<LogicalPlan> {
        let number = self.next_number();
        let name = |side: &str| format!("__{side}_{number}");
        let numbered = |side: &Arc<LogicalPlan>, name: String| {
            LogicalPlanBuilder::from(side.as_ref().clone()).window([row_number().alias(name)])
        };
        let column = |name: String| Column::new_unqualified(name);
        let both = numbered(left, name("left"))?.cross_join(numbered(right, name("right"))?.build()?)?.build()?;
        let met = match condition {
            Some(condition) => self.filter(Filter::try_new(condition, Arc::new(both))?)?,
            None => both,
        };
        let numbers =
            ["left", "right"].map(|side| Expr::Column(column(name(side))).alias(name(&format!("met_{side}"))));
        let met = LogicalPlanBuilder::from(met).project(numbers)?.build()?;
        // All rows of the left side are kept, with the numbers that they meet, but for a RIGHT join.
        let first = if join_type == JoinType::Right { JoinType::Inner } else { JoinType::Left };
        let on = |a: &str, b: &str| (vec![column(name(a))], vec![column(name(b))]);
        numbered(left, name("left"))?
            .join(met, first, on("left", "met_left"), None)?
            .join(numbered(right, name("right"))?.build()?, join_type, on("met_right", "right"), None)?
            .project(schema.columns().into_iter().map(Expr::from))?
            .build()
    }
}

/// A window that is not parted and ordered by outer columns alone: they are constants within a run, and the planner may
/// leave it no column to sort by.
fn without_outer_keys(expr: Expr) -> Result<Expr> {
    if !expr.contains_outer() {
        return Ok(expr);
    }
    let name = expr.schema_name().to_string();
    let is_constant =
        |by: &Expr| by.contains_outer() && !by.any_column_refs() && !by.is_volatile() && !holds_subquery(by);
    let expr = expr.transform_up(|expr| match expr {
        Expr::WindowFunction(mut window) => {
            let WindowFunctionParams { partition_by, order_by, window_frame, .. } = &mut window.params;
            partition_by.retain(|by| !is_constant(by));
            if !order_by.is_empty() && order_by.iter().all(|by| is_constant(&by.expr)) {
                // All rows are peers.
                let is_far =
                    |bound: &WindowFrameBound| matches!(bound, WindowFrameBound::CurrentRow) || bound.is_unbounded();
                if window_frame.units == WindowFrameUnits::Range
                    && is_far(&window_frame.start_bound)
                    && is_far(&window_frame.end_bound)
                {
                    *window_frame = WindowFrame::new(None);
                }
                if window_frame.units == WindowFrameUnits::Rows {
                    order_by.clear();
                }
            } else {
                order_by.retain(|by| !is_constant(&by.expr));
            }
            Ok(Transformed::yes(Expr::WindowFunction(window)))
        }
        expr => Ok(Transformed::no(expr)),
    })?;
    expr.data.alias_if_changed(name)
}

/// An aggregate without grouping(), which is computed above it: what is above names the columns that it has then.
fn resolve_grouping(plan: LogicalPlan) -> Result<LogicalPlan> {
    let options = ConfigOptions::default();
    ResolveGroupingFunction::new().analyze(RepeatedKeys.analyze(plan, &options)?, &options)
}

/// Refuses aggregates of nothing but columns of an outer query: by the standard they are aggregates of that query.
fn refuse_outer_aggregates(aggregate: &Aggregate) -> Result<()> {
    for expr in &aggregate.aggr_expr {
        if expr.contains_outer() && !expr.any_column_refs() {
            return Err(unsupported("an aggregate of columns of the query around it alone"));
        }
    }
    Ok(())
}

/// The plan below an ORDER BY, with the columns that its subqueries name and the select list leaves out.
fn with_outer_columns(input: LogicalPlan, by: &[SortExpr]) -> Result<LogicalPlan> {
    let LogicalPlan::Projection(Projection { mut expr, input: below, schema, .. }) = input else {
        return Ok(input);
    };
    for by in by {
        by.expr.apply(|inner| {
            if let Some(subquery) = subquery_of(inner) {
                for column in outer_columns(&subquery.subquery)?.into_iter().map(|(_, column)| column) {
                    let is_missing = schema.maybe_index_of_column(&column).is_none()
                        && below.schema().maybe_index_of_column(&column).is_some();
                    let column = Expr::Column(column);
                    if is_missing && !expr.contains(&column) {
                        expr.push(column);
                    }
                }
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    Ok(LogicalPlan::Projection(Projection::try_new(expr, below)?))
}

fn unsupported(what: &str) -> datafusion::error::DataFusionError {
    into_datafusion(Error::unsupported(what))
}

/// Whether the subqueries of an expression can be answered for a row of `schema` alone.
fn is_about(expr: &Expr, schema: &DFSchema) -> Result<bool> {
    let mut about = true;
    expr.apply(|expr| {
        if let Some(subquery) = subquery_of(expr) {
            about &= outer_columns(&subquery.subquery)?
                .iter()
                .all(|(_, column)| schema.maybe_index_of_column(column).is_some());
        }
        if let Expr::InSubquery(InSubquery { expr: value, .. })
        | Expr::SetComparison(SetComparison { expr: value, .. }) = expr
        {
            about &= value.column_refs().into_iter().all(|column| schema.maybe_index_of_column(column).is_some());
        }
        // Its conditions tell for which rows the subqueries in its branches are asked.
        if matches!(expr, Expr::Case(_)) && holds_subquery(expr) {
            about &= expr.column_refs().into_iter().all(|column| schema.maybe_index_of_column(column).is_some());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(about)
}

/// Whether DataFusion cannot plan the subqueries of this expression, or not rightly.
///
/// `outer` has the columns of the rows that the expression is evaluated on; `joins` tells whether they come from a
/// projection or a filter, in which DataFusion makes joins of subqueries.
pub(super) fn needs_apply(expr: &Expr, outer: &DFSchema, joins: bool) -> Result<bool> {
    let (condition, negated) = match expr {
        Expr::Not(inner) => (inner.as_ref(), true),
        other => (other, false),
    };
    // A condition of its own: a semi join or an anti join.
    if joins {
        match condition {
            Expr::Exists(exists) if !exists.subquery.outer_ref_columns.is_empty() => {
                return Ok(!shape::is_semi_join(&exists.subquery.subquery, outer)?);
            }
            Expr::InSubquery(within) if !holds_subquery(&within.expr) => {
                let uncorrelated = within.subquery.outer_ref_columns.is_empty();
                let is_semi_join = match negated == within.negated {
                    true => {
                        uncorrelated
                            || shape::is_of_one_type(within, outer)?
                                && shape::is_semi_join(&within.subquery.subquery, outer)?
                    }
                    false => uncorrelated && shape::is_anti_join(within, outer)?,
                };
                return Ok(!is_semi_join || within.expr.contains_outer());
            }
            _ => {}
        }
    }
    let mut needs_apply = false;
    expr.apply(|expr| {
        needs_apply |= match expr {
            Expr::ScalarSubquery(subquery) => !stays_scalar(subquery, outer, joins)?,
            other => is_subquery(other),
        };
        Ok(if needs_apply { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(needs_apply)
}

/// Whether DataFusion evaluates this scalar subquery: once before the query, or by a join with groups.
pub(super) fn stays_scalar(subquery: &Subquery, outer: &DFSchema, joins: bool) -> Result<bool> {
    if subquery.outer_ref_columns.is_empty() {
        return Ok(subquery.subquery.max_rows().is_some_and(|rows| rows <= 1));
    }
    Ok(joins && shape::is_grouped_join(&subquery.subquery, outer)?)
}
