//! Names for what joins compare. The planner projects it beside the columns of a side, and a call that casts a column has the column's name.

use std::borrow::Cow;

use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan};

use crate::sql::analyzer::any_node;

/// The plan with a name for each call that a join compares.
pub(super) fn name_keys(plan: Cow<'_, LogicalPlan>) -> Result<Cow<'_, LogicalPlan>> {
    let has_calls =
        |node: &LogicalPlan| matches!(node, LogicalPlan::Join(join) if join.on.iter().any(|(left, right)| is_call(left) || is_call(right)));
    if !any_node(&plan, |node| Ok(has_calls(node)))? {
        return Ok(plan);
    }
    let named = plan.into_owned().transform_up_with_subqueries(|node| {
        let LogicalPlan::Join(mut join) = node else { return Ok(Transformed::no(node)) };
        for (at, (left, right)) in join.on.iter_mut().enumerate() {
            for key in [left, right] {
                if is_call(key) {
                    *key = std::mem::take(key).alias(format!("\0key{at}"));
                }
            }
        }
        Ok(Transformed::yes(LogicalPlan::Join(join)))
    })?;
    Ok(Cow::Owned(named.data))
}

fn is_call(key: &Expr) -> bool {
    matches!(key, Expr::ScalarFunction(_))
}
