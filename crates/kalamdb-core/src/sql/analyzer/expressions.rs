//! What rules share: looking for nodes and expressions of a plan, and rewriting them while its columns keep their
//! names.

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan, Operator};

/// Rewrites the expressions of a node, and what is inside of each before the expression itself.
pub(crate) fn rewrite(
    node: LogicalPlan,
    mut f: impl FnMut(Expr) -> Result<Transformed<Expr>>,
) -> Result<Transformed<LogicalPlan>> {
    let names = NamePreserver::new(&node);
    let mut named = |expr: Expr| {
        let name = names.save(&expr);
        Ok(expr.transform_up(&mut f)?.update_data(|expr| name.restore(expr)))
    };
    node.map_expressions(|expr| match expr {
        // Grouping sets are no column: each of the expressions in them is one.
        sets @ Expr::GroupingSet(_) => sets.map_children(&mut named),
        expr => named(expr),
    })
}

/// Whether a node of the plan, or of a subquery in it, is wanted.
pub(crate) fn any_node(plan: &LogicalPlan, mut is_wanted: impl FnMut(&LogicalPlan) -> Result<bool>) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        found = is_wanted(node)?;
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// Whether an expression of the node itself is wanted.
pub(crate) fn any_expression(node: &LogicalPlan, mut is_wanted: impl FnMut(&Expr) -> Result<bool>) -> Result<bool> {
    let mut found = false;
    node.apply_expressions(|expr| {
        found = is_wanted(expr)?;
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// Whether the operator compares two values of one type.
pub(crate) fn compares(op: Operator) -> bool {
    use Operator as O;
    matches!(op, O::Eq | O::NotEq | O::Lt | O::LtEq | O::Gt | O::GtEq | O::IsDistinctFrom | O::IsNotDistinctFrom)
}
