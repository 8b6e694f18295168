//! The columns of enclosing queries in a plan.

use datafusion::arrow::datatypes::FieldRef;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema};
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan};

/// The columns of enclosing queries that a plan names, each once.
///
/// Subqueries that stay in expressions are left out: they name nothing but columns of the plan that they are in.
pub(super) fn outer_columns(plan: &LogicalPlan) -> Result<Vec<(FieldRef, Column)>> {
    let mut columns: Vec<(FieldRef, Column)> = Vec::new();
    plan.apply(|node| {
        // What is LATERAL to a FROM item names columns of that, not of the enclosing query.
        if matches!(node, LogicalPlan::Subquery(_)) {
            return Ok(TreeNodeRecursion::Jump);
        }
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Expr::OuterReferenceColumn(field, column) = expr
                    && !columns.iter().any(|(_, known)| known == column)
                {
                    columns.push((field.clone(), column.clone()));
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(columns)
}

/// Whether the plan names columns of enclosing queries.
pub(super) fn is_correlated(plan: &LogicalPlan) -> Result<bool> {
    Ok(!outer_columns(plan)?.is_empty())
}

/// Replaces columns of enclosing queries by what `replacement` gives for them, and keeps the names of the plan's
/// columns.
pub(super) fn replace_outer_columns(
    plan: LogicalPlan,
    replacement: &dyn Fn(&Column) -> Option<Expr>,
) -> Result<LogicalPlan> {
    let replaced = plan.transform_down(|node| {
        if matches!(node, LogicalPlan::Subquery(_)) {
            return Ok(Transformed::new(node, false, TreeNodeRecursion::Jump));
        }
        let names = NamePreserver::new(&node);
        node.map_expressions(|expr| {
            if !expr.contains_outer() {
                return Ok(Transformed::no(expr));
            }
            let name = names.save(&expr);
            let expr = expr.transform_up(|expr| {
                let new = match &expr {
                    Expr::OuterReferenceColumn(_, column) => replacement(column),
                    _ => None,
                };
                Ok(new.map_or_else(|| Transformed::no(expr), Transformed::yes))
            })?;
            Ok(expr.update_data(|expr| name.restore(expr)))
        })
    })?;
    Ok(replaced.data)
}

/// An expression over a row, as it is written inside a subquery of that row.
pub(super) fn as_outer(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    let outer = expr.transform_up(|expr| match expr {
        Expr::Column(column) => {
            let (_, field) = schema.qualified_field_from_column(&column)?;
            Ok(Transformed::yes(Expr::OuterReferenceColumn(field.clone(), column)))
        }
        expr => Ok(Transformed::no(expr)),
    })?;
    Ok(outer.data)
}
