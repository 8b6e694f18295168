use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{JoinType, TableReference};
use datafusion::error::Result;
use datafusion::logical_expr::logical_plan::{Extension, Join, SubqueryAlias};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use super::apply::{Apply, Question};
use super::hoist::{Bound, bind};
use super::outer::is_correlated;
use super::rewrite::Rewriter;
use super::shape;
use crate::error::{Error, into_datafusion};

/// Rewrites a join whose right side is LATERAL, unless DataFusion makes a join of it.
pub(super) fn rewrite(rewriter: &mut Rewriter, join: Join) -> Result<LogicalPlan> {
    let Some((subquery, alias)) = lateral(&join.right) else {
        return Ok(LogicalPlan::Join(join));
    };
    let outer = join.left.schema();
    let is_join = matches!(join.join_type, JoinType::Inner | JoinType::Left);
    if is_join && (shape::is_filter_join(subquery, outer)? || shape::is_grouped_join(subquery, outer)?) {
        return Ok(LogicalPlan::Join(join));
    }
    let builder = LogicalPlanBuilder::from(subquery.clone());
    let right = match alias {
        Some(alias) => builder.alias(alias.clone())?.build()?,
        None => builder.build()?,
    };
    if !is_correlated(&right)? {
        let Join { left, on, filter, join_type, join_constraint, null_equality, null_aware, .. } = join;
        let join = Join::try_new(left, Arc::new(right), on, filter, join_type, join_constraint, null_equality, null_aware)?;
        return Ok(LogicalPlan::Join(join));
    }
    let question = match join.join_type {
        JoinType::Inner => Question::Rows,
        JoinType::Left => Question::RowsOrNull,
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
            LogicalPlanBuilder::from(right).filter(condition.data)?.build()?
        }
        None => right,
    };
    let left = Arc::unwrap_or_clone(join.left);
    let Bound { subquery, arguments, slots } = bind(rewriter, &left, right)?;
    let apply = Apply::try_new(question, left, subquery, arguments, slots, false, String::new())?;
    Ok(LogicalPlan::Extension(Extension { node: Arc::new(apply) }))
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
