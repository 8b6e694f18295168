//! INTERSECT, EXCEPT and UNION as plans with the right counts, names and types.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, JoinType, NullEquality};
use datafusion::error::Result;
use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::expr::{Cast, WindowFunction};
use datafusion::logical_expr::logical_plan::{Distinct, Join, Projection, RecursiveQuery, Union};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, WindowFunctionDefinition};

use super::types::{common_type, is_constant_text, may_recur, name, type_of};
use crate::error::{Error, ErrorKind, into_datafusion};
use crate::sql::analyzer::any_node;
use crate::sql::analyzer::ordering::{has_key, key};

/// How the columns of the two sides of INTERSECT and EXCEPT are called; no statement can spell it.
const LEFT: &str = "\0left";
const RIGHT: &str = "\0right";

/// Makes the sets of a plan ones of columns that have one type on both sides, and of rows that occur as often as they
/// should.
pub(crate) fn rewrite(plan: LogicalPlan) -> Result<LogicalPlan> {
    if !any_node(&plan, |node| {
        Ok(matches!(node, LogicalPlan::Union(_) | LogicalPlan::RecursiveQuery(_)) || is_intersection(node))
    })? {
        return Ok(plan);
    }
    let plan = plan.transform_up_with_subqueries(|node| {
        Ok(Transformed::yes(match node {
            LogicalPlan::Union(set) => union(set)?,
            LogicalPlan::Join(set) if is_intersection_join(&set) => intersection(set)?,
            LogicalPlan::RecursiveQuery(query) => recursive(query)?,
            other => other.recompute_schema()?,
        }))
    })?;
    Ok(plan.data)
}

/// INTERSECT and EXCEPT are planned as joins that no other statement is planned as.
fn is_intersection(node: &LogicalPlan) -> bool {
    matches!(node, LogicalPlan::Join(join) if is_intersection_join(join))
}

fn is_intersection_join(join: &Join) -> bool {
    // Those of a view are rewritten already.
    let is_rewritten = join.left.schema().fields().first().is_some_and(|field| field.name().starts_with(LEFT));
    matches!(join.join_type, JoinType::LeftSemi | JoinType::LeftAnti)
        && join.null_equality == NullEquality::NullEqualsNull
        && !is_rewritten
}

fn union(set: Union) -> Result<LogicalPlan> {
    let Union { inputs, schema } = set;
    let mut inputs = inputs.into_iter();
    let Some(first) = inputs.next() else { return Ok(LogicalPlan::Union(Union { inputs: Vec::new(), schema })) };
    let mut types: Vec<_> = (0..first.schema().fields().len())
        .map(|column| (type_of(first.schema(), column), is_constant_text(&first, column)))
        .collect();
    let rest: Vec<_> = inputs.collect();
    for input in &rest {
        for (column, (common, is_constant)) in types.iter_mut().enumerate() {
            let (other, other_is_constant) = (type_of(input.schema(), column), is_constant_text(input, column));
            *common = common_type("UNION", common, *is_constant, &other, other_is_constant)?;
            *is_constant &= other_is_constant;
        }
    }
    let names = first.schema().columns();
    let inputs = std::iter::once(first).chain(rest).map(|input| {
        let is_cast = types.iter().enumerate().any(|(column, (common, _))| type_of(input.schema(), column) != *common);
        // Where the others turn out to be empty, an input takes the place of the set, whose columns have the names of
        // the first.
        let is_named = matches!(input.as_ref(), LogicalPlan::Projection(_)) || input.schema().columns() == names;
        if !is_cast && is_named {
            return Ok(input);
        }
        let columns = input.schema().columns().into_iter().zip(&names).zip(&types);
        let exprs = columns.map(|((column, name), (common, _))| {
            let expr = Expr::Column(column.clone());
            let name = if is_named { column } else { name.clone() };
            if expr.get_type(input.schema())? == *common && expr == Expr::Column(name.clone()) {
                return Ok(expr);
            }
            Ok(expr.cast_to(common, input.schema())?.alias_qualified(name.relation, name.name))
        });
        let exprs = exprs.collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(LogicalPlan::Projection(Projection::try_new(exprs, input)?)))
    });
    Ok(LogicalPlan::Union(Union::try_new_with_loose_types(inputs.collect::<Result<Vec<_>>>()?)?))
}

/// A row of the left side is kept if an equal one is on the right, or if none is. With ALL, the n-th of equal rows is
/// kept for the n-th on the right.
fn intersection(set: Join) -> Result<LogicalPlan> {
    let schema = Arc::clone(&set.schema);
    let (left, is_distinct) = match set.left.as_ref() {
        LogicalPlan::Distinct(Distinct::All(input)) => (Arc::clone(input), true),
        _ => (Arc::clone(&set.left), false),
    };
    let right = Arc::clone(&set.right);
    let what = if set.join_type == JoinType::LeftSemi { "INTERSECT" } else { "EXCEPT" };
    let n_columns = left.schema().fields().len();
    let types = (0..n_columns).map(|column| {
        let (of_left, of_right) = (type_of(left.schema(), column), type_of(right.schema(), column));
        common_type(what, &of_left, is_constant_text(&left, column), &of_right, is_constant_text(&right, column))
    });
    let types = types.collect::<Result<Vec<_>>>()?;
    // Under names that nothing else has: those of the two sides may be the same, or those of two columns of one side.
    let side = |plan: Arc<LogicalPlan>, name: &str| {
        let columns = plan.schema().columns().into_iter().zip(&types).enumerate();
        let exprs = columns.map(|(at, (column, common))| {
            let expr = Expr::Column(column).cast_to(common, plan.schema())?;
            let expr = if is_distinct || has_key(common) { expr } else { key(expr) };
            Ok(expr.alias(format!("{name}{at}")))
        });
        LogicalPlanBuilder::from(Arc::unwrap_or_clone(Arc::clone(&plan))).project(exprs.collect::<Result<Vec<_>>>()?)
    };
    // A column that compares by itself is its own key, which nothing sees through: DataFusion would sort below a UNION,
    // and not rightly where two of its columns are one.
    let (mut left, mut right) = (side(left, LEFT)?, side(right, RIGHT)?);
    let names =
        |name: &str| (0..n_columns).map(|at| Column::new_unqualified(format!("{name}{at}"))).collect::<Vec<_>>();
    let (mut left_keys, mut right_keys) = (names(LEFT), names(RIGHT));
    let columns = left_keys.clone();
    if is_distinct {
        left = left.distinct()?;
    } else {
        left = left.window([occurrence(&left_keys).alias(LEFT)])?;
        right = right.window([occurrence(&right_keys).alias(RIGHT)])?;
        left_keys.push(Column::new_unqualified(LEFT));
        right_keys.push(Column::new_unqualified(RIGHT));
    }
    let kept =
        left.join_detailed(right.build()?, set.join_type, (left_keys, right_keys), None, NullEquality::NullEqualsNull)?;
    let output = columns.into_iter().zip(schema.iter());
    kept.project(
        output
            .map(|(column, (qualifier, field))| Expr::Column(column).alias_qualified(qualifier.cloned(), field.name())),
    )?
    .build()
}

/// How many equal rows there are up to a row.
fn occurrence(columns: &[Column]) -> Expr {
    let mut function = WindowFunction::new(WindowFunctionDefinition::WindowUDF(row_number_udwf()), Vec::new());
    function.params.partition_by = columns.iter().cloned().map(Expr::Column).collect();
    Expr::WindowFunction(Box::new(function))
}

/// Refuses a recursive term of another type than the first one: its values would be cast in every round.
fn recursive(query: RecursiveQuery) -> Result<LogicalPlan> {
    let RecursiveQuery { name: query_name, static_term, recursive_term, is_distinct, .. } = query;
    if let LogicalPlan::Projection(Projection { expr, input, .. }) = recursive_term.as_ref() {
        for (at, expr) in expr.iter().enumerate() {
            let Expr::Cast(Cast { expr, .. }) = expr.clone().unalias() else { continue };
            let (wanted, found) = (type_of(static_term.schema(), at), expr.get_type(input.schema())?);
            if !may_recur(&wanted, &found) {
                let message = format!(
                    "column {} of recursive query {query_name} has type {} in its first term, but type {} in its recursive term",
                    at + 1,
                    name(&wanted),
                    name(&found)
                );
                return Err(into_datafusion(
                    Error::new(ErrorKind::DatatypeMismatch, message)
                        .with_hint("cast the column in the first term to the type of the second"),
                ));
            }
        }
    }
    Ok(LogicalPlan::RecursiveQuery(RecursiveQuery::try_new(query_name, static_term, recursive_term, is_distinct)?))
}
