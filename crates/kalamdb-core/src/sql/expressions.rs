//! Rewriting the expressions of a plan, whose columns keep their names.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan};

/// Rewrites the expressions of a node, and what is inside of each before the expression itself.
pub(super) fn rewrite(node: LogicalPlan, mut f: impl FnMut(Expr) -> Result<Transformed<Expr>>) -> Result<Transformed<LogicalPlan>> {
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
