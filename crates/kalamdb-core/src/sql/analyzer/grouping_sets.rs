//! Grouping sets are made of columns: what is grouped by is computed before.
//!
//! An expression in a set cannot be rewritten later, when its type is known, as a rewritten expression keeps its name
//! by an alias, and DataFusion knows sets no longer that hold one.

use std::sync::Arc;

use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::logical_plan::{Aggregate, Projection};
use datafusion::logical_expr::{Expr, LogicalPlan};

use super::expressions::any_node;

/// Computes what the grouping sets of a plan are made of before the groups.
pub(crate) fn compute_before(plan: LogicalPlan) -> Result<LogicalPlan> {
    if !any_node(&plan, |node| Ok(matches!(node, LogicalPlan::Aggregate(aggregate) if is_computed(aggregate))))? {
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
    let Aggregate { input, group_expr, aggr_expr, schema, .. } = aggregate;
    let mut columns: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
    let mut computed: Vec<Expr> = Vec::new();
    // By a name that no statement can spell: a cast has that of what is cast.
    let mut column = |expr: Expr| {
        if matches!(expr, Expr::Column(_)) {
            return Ok(Transformed::no(expr));
        }
        let at = computed.iter().position(|known| *known == expr).unwrap_or_else(|| {
            computed.push(expr);
            computed.len() - 1
        });
        Ok(Transformed::yes(Expr::Column(Column::new_unqualified(format!("\0group{at}")))))
    };
    let group_expr =
        group_expr.into_iter().map(|sets| Ok(sets.map_children(&mut column)?.data)).collect::<Result<Vec<_>>>()?;
    // grouping() asks about what is grouped by.
    let mut asked = |expr: Expr| match &expr {
        Expr::AggregateFunction(function) if function.func.name() == "grouping" => expr.map_children(&mut column),
        _ => Ok(Transformed::no(expr)),
    };
    let aggr_expr =
        aggr_expr.into_iter().map(|expr| Ok(expr.transform_up(&mut asked)?.data)).collect::<Result<Vec<_>>>()?;
    columns.extend(computed.into_iter().enumerate().map(|(at, expr)| expr.alias(format!("\0group{at}"))));
    let input = LogicalPlan::Projection(Projection::try_new(columns, input)?);
    let grouped = LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(input), group_expr, aggr_expr)?);
    // Who asks for the number of the set is answered below.
    let named = grouped
        .schema()
        .columns()
        .into_iter()
        .zip(schema.iter())
        .filter(|(column, _)| column.name != Aggregate::INTERNAL_GROUPING_ID);
    let named = named
        .map(|(column, (qualifier, field))| Expr::Column(column).alias_qualified(qualifier.cloned(), field.name()))
        .collect();
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(named, Arc::new(grouped))?)))
}
