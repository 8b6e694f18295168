//! Grouping sets are made of columns: what is grouped by is computed before.
//!
//! An expression in a set cannot be rewritten later, when its type is known, as a rewritten expression keeps its name by an alias, and DataFusion
//! knows sets no longer that hold one.

use std::sync::Arc;

use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::logical_plan::{Aggregate, Projection};
use datafusion::logical_expr::{Expr, LogicalPlan};

/// Computes what the grouping sets of a plan are made of before the groups.
pub(super) fn compute_before(plan: LogicalPlan) -> Result<LogicalPlan> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        found |= matches!(node, LogicalPlan::Aggregate(aggregate) if is_computed(aggregate));
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    if !found {
        return Ok(plan);
    }
    Ok(plan.transform_up_with_subqueries(node)?.data)
}

fn is_computed(aggregate: &Aggregate) -> bool {
    matches!(aggregate.group_expr.as_slice(), [Expr::GroupingSet(sets)] if sets.distinct_expr().iter().any(|expr| !matches!(expr, Expr::Column(_))))
}

fn node(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Aggregate(aggregate) = node else { return Ok(Transformed::no(node)) };
    if !is_computed(&aggregate) {
        return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
    }
    let Aggregate { input, group_expr, aggr_expr, .. } = aggregate;
    let mut columns: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
    let mut column = |expr: Expr| {
        if matches!(expr, Expr::Column(_)) {
            return Ok(Transformed::no(expr));
        }
        let name = expr.schema_name().to_string();
        let computed = expr.alias(&name);
        if !columns.contains(&computed) {
            columns.push(computed);
        }
        Ok(Transformed::yes(Expr::Column(Column::new_unqualified(name))))
    };
    let group_expr = group_expr.into_iter().map(|sets| Ok(sets.map_children(&mut column)?.data)).collect::<Result<Vec<_>>>()?;
    // grouping() asks about what is grouped by.
    let mut asked = |expr: Expr| match &expr {
        Expr::AggregateFunction(function) if function.func.name() == "grouping" => expr.map_children(&mut column),
        _ => Ok(Transformed::no(expr)),
    };
    let aggr_expr = aggr_expr.into_iter().map(|expr| Ok(expr.transform_up(&mut asked)?.data)).collect::<Result<Vec<_>>>()?;
    let input = LogicalPlan::Projection(Projection::try_new(columns, input)?);
    Ok(Transformed::yes(LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(input), group_expr, aggr_expr)?)))
}
