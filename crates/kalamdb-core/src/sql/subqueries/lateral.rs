//! LATERAL.

use std::sync::Arc;

use datafusion::arrow::datatypes::FieldRef;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, JoinType, TableReference};
use datafusion::error::Result;
use datafusion::logical_expr::logical_plan::{Extension, Join, SubqueryAlias};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use super::apply::{Apply, ApplySpec, SubqueryKind};
use super::hoist::{Bound, bind};
use super::outer::outer_columns;
use super::rewrite::Rewriter;
use super::shape;
use crate::error::{Error, into_datafusion};

/// What the right side of a join shows before it is rewritten.
///
/// The planner marks what is LATERAL by a [`Subquery`] only where it names an outer column outside of its own
/// subqueries.
pub(super) struct Right {
    is_marked: bool,
    /// The outer columns named outside of subqueries: without a mark they are columns of a query further out.
    named: Vec<(FieldRef, Column)>,
}

impl Right {
    pub(super) fn new(plan: &LogicalPlan) -> Result<Self> {
        Ok(Self { is_marked: is_marked(plan), named: outer_columns(plan)? })
    }
}

/// Whether an item of this FROM is marked as LATERAL.
fn is_marked(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Subquery(_) => true,
        LogicalPlan::SubqueryAlias(alias) => is_marked(&alias.input),
        LogicalPlan::Join(join) => is_marked(&join.left) || is_marked(&join.right),
        _ => false,
    }
}

/// Rewrites a join whose right side is LATERAL, unless DataFusion makes a join of it.
pub(super) fn rewrite(rewriter: &mut Rewriter, mut join: Join, shown: &Right) -> Result<LogicalPlan> {
    if lateral(&join.left).is_some() {
        // It is LATERAL to what is before this join.
        join.left = Arc::new(unwrap(Arc::unwrap_or_clone(join.left))?.data);
    }
    let outer = join.left.schema();
    let is_join = matches!(join.join_type, JoinType::Inner | JoinType::Left);
    if let Some((subquery, _)) = lateral(&join.right)
        && is_join
        && (shape::is_filter_join(subquery, outer)? || shape::is_grouped_join(subquery, outer)?)
    {
        return Ok(LogicalPlan::Join(join));
    }
    join.right = Arc::new(unwrap(Arc::unwrap_or_clone(join.right))?.data);
    let is_lateral = outer_columns(&join.right)?.into_iter().any(|column| {
        let is_further_out = !shown.is_marked && shown.named.contains(&column);
        outer.maybe_index_of_column(&column.1).is_some() && !is_further_out
    });
    if !is_lateral {
        return Ok(LogicalPlan::Join(join));
    }
    let right = Arc::unwrap_or_clone(join.right);
    let kind = match join.join_type {
        JoinType::Inner => SubqueryKind::Rows,
        JoinType::Left => SubqueryKind::RowsOrNull,
        other => return Err(into_datafusion(Error::unsupported(format!("LATERAL in a {other} join")))),
    };
    // The join's condition is one on the rows of the right side, for each row of the left.
    let conditions = join.on.iter().map(|(left, right)| left.clone().eq(right.clone())).chain(join.filter.clone());
    let right = match conjunction(conditions) {
        Some(condition) => {
            let condition = condition.transform_up(|expr| match expr {
                Expr::Column(column) if right.schema().maybe_index_of_column(&column).is_none() => {
                    let (_, field) = outer.qualified_field_from_column(&column)?;
                    Ok(Transformed::yes(Expr::OuterReferenceColumn(Arc::clone(field), column)))
                }
                other => Ok(Transformed::no(other)),
            })?;
            let right = LogicalPlanBuilder::from(right).filter(condition.data)?.build()?;
            // The condition may hold subqueries of its own.
            rewriter.plan(right)?
        }
        None => right,
    };
    let left = Arc::unwrap_or_clone(join.left);
    let Bound { subquery, arguments, slots } = bind(rewriter, &left, right)?;
    let spec = ApplySpec { kind, slots, is_guarded: false, output: String::new() };
    let apply = Apply::try_new(spec, left, subquery, arguments)?;
    Ok(LogicalPlan::Extension(Extension { node: Arc::new(apply) }))
}

/// Takes the marks off a node's inputs: only a join reads them.
pub(super) fn unwrap_children(plan: LogicalPlan) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::SubqueryAlias(_) | LogicalPlan::Subquery(_) => Ok(plan),
        plan => Ok(plan.map_children(unwrap)?.data),
    }
}

fn unwrap(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let Some((subquery, alias)) = lateral(&plan) else {
        return Ok(Transformed::no(plan));
    };
    let builder = LogicalPlanBuilder::from(subquery.clone());
    let builder = match alias {
        Some(alias) => builder.alias(alias.clone())?,
        None => builder,
    };
    Ok(Transformed::yes(builder.build()?))
}

/// What a plan is LATERAL with, and the name that it has.
fn lateral(plan: &LogicalPlan) -> Option<(&LogicalPlan, Option<&TableReference>)> {
    match plan {
        LogicalPlan::Subquery(subquery) => Some((&subquery.subquery, None)),
        LogicalPlan::SubqueryAlias(SubqueryAlias { input, alias, .. }) => match input.as_ref() {
            LogicalPlan::Subquery(subquery) => Some((&subquery.subquery, Some(alias))),
            _ => None,
        },
        _ => None,
    }
}
