//! Aggregates in a subquery whose arguments name nothing but columns of the query around it: they are aggregates of
//! that query.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema};
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::logical_plan::{Aggregate, Filter, Projection, Subquery};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};

use super::outer::outer_columns;
use super::rewrite::{Rewriter, holds_subquery, with_subquery};
use crate::error::{Error, ErrorKind, into_datafusion};

/// Moves such aggregates out of the subqueries of a select list and of the HAVING below it, into the grouping below
/// these.
pub(super) fn lift(rewriter: &mut Rewriter, projection: Projection) -> Result<LogicalPlan> {
    let (having, grouping) = match projection.input.as_ref() {
        LogicalPlan::Filter(filter) if matches!(*filter.input, LogicalPlan::Aggregate(_)) => {
            (Some(&filter.predicate), &filter.input)
        }
        _ => (None, &projection.input),
    };
    let groups = match grouping.as_ref() {
        LogicalPlan::Aggregate(aggregate) => Some(aggregate),
        _ => None,
    };
    let rows = groups.map_or(grouping, |aggregate| &aggregate.input);
    let mut lifted = Lifted { rewriter, rows: rows.schema(), aggregates: Vec::new() };
    let names = NamePreserver::new_for_projection();
    let mut items = Vec::with_capacity(projection.expr.len());
    for item in &projection.expr {
        let name = names.save(item);
        items.push(name.restore(lifted.out_of(item.clone())?));
    }
    let having = having.map(|having| lifted.out_of(having.clone())).transpose()?;
    if lifted.aggregates.is_empty() {
        return Ok(LogicalPlan::Projection(projection));
    }
    let (by, mut aggregates) =
        groups.map_or_else(Default::default, |groups| (groups.group_expr.clone(), groups.aggr_expr.clone()));
    aggregates.extend(lifted.aggregates.into_iter().map(|(_, _, aggregate)| aggregate));
    let mut plan = LogicalPlan::Aggregate(Aggregate::try_new(Arc::clone(rows), by, aggregates)?);
    if let Some(having) = having {
        plan = LogicalPlan::Filter(Filter::try_new(having, Arc::new(plan))?);
    }
    if let Some(column) =
        items.iter().flat_map(Expr::column_refs).find(|column| plan.schema().maybe_index_of_column(column).is_none())
    {
        let message = format!("column {} is neither grouped nor aggregated", column.flat_name());
        return Err(into_datafusion(Error::new(ErrorKind::GroupingError, message)));
    }
    Ok(LogicalPlan::Projection(Projection::try_new(items, Arc::new(plan))?))
}

struct Lifted<'a> {
    rewriter: &'a mut Rewriter,
    /// The columns of the rows that are grouped.
    rows: &'a DFSchema,
    /// The name that each has in the subquery, what is in its place there, and the aggregate.
    aggregates: Vec<(String, Expr, Expr)>,
}

impl Lifted<'_> {
    fn out_of(&mut self, expr: Expr) -> Result<Expr> {
        if !holds_subquery(&expr) {
            return Ok(expr);
        }
        let expr = expr.transform_up(|expr| with_subquery(expr, &mut |subquery| self.out_of_subquery(subquery)))?;
        Ok(expr.data)
    }

    fn out_of_subquery(&mut self, subquery: Subquery) -> Result<Subquery> {
        let plan = Arc::unwrap_or_clone(Arc::clone(&subquery.subquery)).transform_up(|node| {
            let node = match node {
                LogicalPlan::Aggregate(aggregate) => self.out_of_aggregate(aggregate)?,
                node => node,
            };
            let names = NamePreserver::new(&node);
            let node = node.map_expressions(|expr| {
                let name = names.save(&expr);
                let inner = expr.transform_up(|expr| {
                    let new = match &expr {
                        Expr::Column(column) => {
                            self.aggregates.iter().find(|(name, ..)| column.relation.is_none() && *name == column.name)
                        }
                        _ => None,
                    };
                    match new {
                        Some((_, new, _)) => Ok(Transformed::yes(new.clone())),
                        None => Ok(Transformed::no(self.out_of(expr)?)),
                    }
                })?;
                Ok(Transformed::yes(name.restore(inner.data)))
            })?;
            Ok(Transformed::yes(node.data.recompute_schema()?))
        })?;
        let plan = plan.data;
        let outer_ref_columns = outer_columns(&plan)?
            .into_iter()
            .map(|(field, column)| Expr::OuterReferenceColumn(field, column))
            .collect();
        Ok(Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: subquery.spans })
    }

    fn out_of_aggregate(&mut self, aggregate: Aggregate) -> Result<LogicalPlan> {
        let (outer, inner): (Vec<_>, Vec<_>) = aggregate.aggr_expr.iter().cloned().partition(|expr| self.is_ours(expr));
        if outer.is_empty() {
            return Ok(LogicalPlan::Aggregate(aggregate));
        }
        for expr in outer {
            let name = expr.schema_name().to_string();
            if self.aggregates.iter().any(|(known, ..)| *known == name) {
                continue;
            }
            let own = expr.unalias().transform_up(|expr| match expr {
                Expr::OuterReferenceColumn(_, column) => Ok(Transformed::yes(Expr::Column(column))),
                expr => Ok(Transformed::no(expr)),
            })?;
            let column = Column::new_unqualified(format!("__outer_aggregate_{}", self.rewriter.next_number()));
            let own = own.data.alias(&column.name);
            let (_, field) = own.to_field(self.rows)?;
            self.aggregates.push((name, Expr::OuterReferenceColumn(field, column), own));
        }
        if inner.is_empty() && aggregate.group_expr.is_empty() {
            // Nothing is left to aggregate: each row gives one.
            return Ok(Arc::unwrap_or_clone(aggregate.input));
        }
        Ok(LogicalPlan::Aggregate(Aggregate::try_new(aggregate.input, aggregate.group_expr, inner)?))
    }

    fn is_ours(&self, expr: &Expr) -> bool {
        let is_outer = |inner: &Expr| matches!(inner, Expr::OuterReferenceColumn(_, column) if self.rows.maybe_index_of_column(column).is_none());
        expr.contains_outer()
            && !expr.any_column_refs()
            && !holds_subquery(expr)
            && !expr.exists(|inner| Ok(is_outer(inner))).unwrap_or(true)
    }
}
