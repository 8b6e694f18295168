//! Which correlated subqueries DataFusion turns into joins that mean the same.
//!
//! The conditions are narrower than DataFusion's own: where the two differ it either fails to plan, or its join differs
//! from the subquery (an aggregate that always has a row, a LIMIT for each outer row, NULL in NOT IN). The name of a
//! subquery in FROM hides the columns that DataFusion adds to it, so what is correlated is not below one.

use std::sync::Arc;

use datafusion::common::{Column, DFSchema, ExprSchema};
use datafusion::error::Result;
use datafusion::logical_expr::expr::InSubquery;
use datafusion::logical_expr::logical_plan::{Projection, Sort, Subquery, SubqueryAlias};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    Aggregate, BinaryExpr, Cast, Distinct, Expr, ExprSchemable, Filter, LogicalPlan, Operator, lit,
};

use super::outer::{is_correlated, outer_columns};
use crate::sql::analyzer::ordering::has_key;

/// Whether every column of enclosing queries that `plan` names is one of `outer`.
fn is_within(plan: &LogicalPlan, outer: &DFSchema) -> Result<bool> {
    Ok(outer_columns(plan)?.iter().all(|(_, column)| outer.maybe_index_of_column(column).is_some()))
}

/// Whether a correlated EXISTS or IN as a condition of WHERE is a semi join, and NOT EXISTS an anti join.
pub(super) fn is_semi_join(plan: &LogicalPlan, outer: &DFSchema) -> Result<bool> {
    if !is_within(plan, outer)? {
        return Ok(false);
    }
    let (mut plan, mut items) = (plan, Vec::new());
    loop {
        plan = match plan {
            LogicalPlan::Projection(projection) if !plan.contains_outer_reference() => {
                items.extend(&projection.expr);
                &projection.input
            }
            LogicalPlan::Distinct(Distinct::All(input)) => input,
            LogicalPlan::Filter(filter) => {
                return Ok(keeps_names(&items, &filter.predicate) && !is_correlated(&filter.input)?);
            }
            _ => return Ok(false),
        };
    }
}

/// Whether IN compares two columns of one type: DataFusion fails to plan a correlated subquery whose column it has to
/// cast.
pub(super) fn is_of_one_type(within: &InSubquery, outer: &DFSchema) -> Result<bool> {
    let column = within.subquery.subquery.schema().fields().first().map(|field| field.data_type().clone());
    Ok(matches!(*within.expr, Expr::Column(_)) && Some(within.expr.get_type(outer)?) == column)
}

/// Whether NOT IN as a condition of WHERE is an anti join that knows NULL.
///
/// DataFusion's knows it if a column that it compares, or that its value is computed of, may be NULL: the value alone
/// may be as well.
pub(super) fn is_anti_join(within: &InSubquery, outer: &DFSchema) -> Result<bool> {
    let columns = within.expr.column_refs();
    let is_plain = matches!(*within.expr, Expr::Column(_));
    // What is computed may turn out to be NULL when it is simplified, and names no column any more then.
    if columns.is_empty() || !is_plain && within.expr.nullable(outer)? {
        return Ok(false);
    }
    let is_nullable = |column: &&Column| outer.field_from_column(column).is_ok_and(|field| field.is_nullable());
    let knows_null = columns.iter().any(is_nullable)
        || within.subquery.subquery.schema().fields().iter().any(|field| field.is_nullable());
    Ok(knows_null || !within.expr.nullable(outer)?)
}

/// Whether what is LATERAL to a row is a join with a filter.
pub(super) fn is_filter_join(plan: &LogicalPlan, outer: &DFSchema) -> Result<bool> {
    if !is_within(plan, outer)? {
        return Ok(false);
    }
    let (mut plan, mut items) = (plan, Vec::new());
    loop {
        plan = match plan {
            LogicalPlan::Projection(projection) if !plan.contains_outer_reference() => {
                items.extend(&projection.expr);
                &projection.input
            }
            LogicalPlan::Filter(filter) => {
                return Ok(keeps_names(&items, &filter.predicate) && !is_correlated(&filter.input)?);
            }
            _ => return Ok(false),
        };
    }
}

/// Whether a correlated scalar subquery is an aggregate that is correlated by equalities: a left join with groups.
pub(super) fn is_grouped_join(plan: &LogicalPlan, outer: &DFSchema) -> Result<bool> {
    if !is_within(plan, outer)? {
        return Ok(false);
    }
    let (mut plan, mut items) = (plan, Vec::new());
    loop {
        plan = match plan {
            LogicalPlan::Projection(projection) if !plan.contains_outer_reference() => {
                items.extend(&projection.expr);
                &projection.input
            }
            LogicalPlan::Aggregate(aggregate) if !plan.contains_outer_reference() => {
                return is_grouped_by_equalities(aggregate, &items);
            }
            _ => return Ok(false),
        };
    }
}

fn is_grouped_by_equalities(aggregate: &Aggregate, items: &[&Expr]) -> Result<bool> {
    let Aggregate { input, group_expr, .. } = aggregate;
    let LogicalPlan::Filter(Filter { predicate, input, .. }) = input.as_ref() else {
        return Ok(false);
    };
    let equalities = split_conjunction(predicate)
        .into_iter()
        .filter(|condition| condition.contains_outer())
        .all(|condition| is_equality_with_outer(condition, input.schema()));
    Ok(group_expr.is_empty() && equalities && keeps_names(items, predicate) && !is_correlated(input)?)
}

/// Whether no item of a select list has the name of another column that the correlated conditions below it name:
/// DataFusion adds these columns to the list.
fn keeps_names(items: &[&Expr], predicate: &Expr) -> bool {
    let conditions = split_conjunction(predicate).into_iter().filter(|condition| condition.contains_outer());
    let named: Vec<&Column> = conditions.flat_map(Expr::column_refs).collect();
    items.iter().filter(|item| !matches!(item, Expr::Column(_))).all(|item| {
        let (_, name) = item.qualified_name();
        named.iter().all(|column| column.name != name)
    })
}

/// The subquery of an EXISTS: what its rows hold and how they are sorted is nothing to it.
pub(super) fn rows_alone(subquery: Subquery) -> Result<Subquery> {
    let mut plan = &subquery.subquery;
    loop {
        plan =
            match plan.as_ref() {
                LogicalPlan::Sort(Sort { input, fetch: None, .. })
                | LogicalPlan::Projection(Projection { input, .. }) => input,
                LogicalPlan::SubqueryAlias(SubqueryAlias { input, .. })
                | LogicalPlan::Distinct(Distinct::All(input)) => input,
                _ => break,
            };
    }
    let plan = LogicalPlan::Projection(Projection::try_new(vec![lit(true).alias("__exists")], Arc::clone(plan))?);
    Ok(subquery.with_plan(Arc::new(plan)))
}

/// The subquery of an IN: how its rows are sorted is nothing to it.
pub(super) fn unsorted(subquery: Subquery) -> Result<Subquery> {
    let plan = match subquery.subquery.as_ref() {
        LogicalPlan::Sort(Sort { input, fetch: None, .. }) => Arc::clone(input),
        LogicalPlan::Projection(projection) => match projection.input.as_ref() {
            LogicalPlan::Sort(Sort { input, fetch: None, .. }) => {
                Arc::new(LogicalPlan::Projection(Projection::try_new(projection.expr.clone(), Arc::clone(input))?))
            }
            _ => return Ok(subquery),
        },
        _ => return Ok(subquery),
    };
    Ok(subquery.with_plan(plan))
}

fn is_equality_with_outer(condition: &Expr, schema: &DFSchema) -> bool {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = condition else {
        return false;
    };
    let is_inner = |expr: &Expr| match expr {
        // What compares by a key is no plain equality.
        _ if expr.get_type(schema).is_ok_and(|data_type| has_key(&data_type)) => false,
        Expr::Column(_) => true,
        Expr::Cast(Cast { expr, .. }) => matches!(**expr, Expr::Column(_)),
        _ => false,
    };
    let is_outer = |expr: &Expr| expr.contains_outer() && !expr.any_column_refs();
    is_inner(left) && is_outer(right) || is_outer(left) && is_inner(right)
}
