//! Names for what joins compare. The planner projects it beside the columns of a side, and a call that casts a column
//! has the column's name.

use std::borrow::Cow;

use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan};

use crate::sql::analyzer::any_node;

/// The plan with a name of its own for each call that a join compares and that has the name of a column.
pub(super) fn name_keys(plan: Cow<'_, LogicalPlan>) -> Result<Cow<'_, LogicalPlan>> {
    let has_calls = |node: &LogicalPlan| matches!(node, LogicalPlan::Join(join) if join.on.iter().any(|(left, right)| is_named_as_column(left, &join.left) || is_named_as_column(right, &join.right)));
    if !any_node(&plan, |node| Ok(has_calls(node)))? {
        return Ok(plan);
    }
    let named = plan.into_owned().transform_up_with_subqueries(|node| {
        let LogicalPlan::Join(mut join) = node else { return Ok(Transformed::no(node)) };
        for (left, right) in &mut join.on {
            for (key, side) in [(left, &join.left), (right, &join.right)] {
                if is_named_as_column(key, side) {
                    // As the planner names casts.
                    let name = key.to_string();
                    *key = std::mem::take(key).alias(name);
                }
            }
        }
        Ok(Transformed::yes(LogicalPlan::Join(join)))
    })?;
    Ok(Cow::Owned(named.data))
}

fn is_named_as_column(key: &Expr, side: &LogicalPlan) -> bool {
    matches!(key, Expr::ScalarFunction(_)) && {
        let name = key.schema_name().to_string();
        side.schema().columns().iter().any(|column| column.name == name || column.flat_name() == name)
    }
}
