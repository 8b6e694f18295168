//! The last thing that is done to a plan before it is executed: AND and OR evaluate what may fail for those rows alone
//! that it decides on.

use std::borrow::Cow;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::{conjunction, merge_schema, split_binary};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, lit};

use super::fails::may_fail;
use crate::sql::analyzer::{any_expression, any_node};

/// The plan with CASE in place of AND and OR where it matters: only CASE is sure to evaluate nothing for other rows.
pub(crate) fn guard(plan: &LogicalPlan) -> Result<Cow<'_, LogicalPlan>> {
    let found = any_node(plan, |plan| match plan {
        LogicalPlan::TableScan(scan) if scan.filters.is_empty() => Ok(false),
        LogicalPlan::TableScan(scan) => {
            let schema = DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())?;
            Ok(scan.filters.iter().map(|filter| may_fail(filter, &schema)).collect::<Result<Vec<_>>>()?.contains(&true))
        }
        other => is_to_be_guarded(other, &merge_schema(&other.inputs())),
    })?;
    Ok(if found { Cow::Owned(plan.clone().transform_up_with_subqueries(node)?.data) } else { Cow::Borrowed(plan) })
}

fn is_to_be_guarded(plan: &LogicalPlan, schema: &DFSchema) -> Result<bool> {
    any_expression(plan, |expr| needs_guard(expr, schema))
}

fn node(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    if let LogicalPlan::TableScan(mut scan) = plan {
        if scan.filters.is_empty() {
            return Ok(Transformed::no(LogicalPlan::TableScan(scan)));
        }
        let schema = DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())?;
        let filters = std::mem::take(&mut scan.filters).into_iter().map(|filter| guarded(filter, &schema, true));
        let (safe, risky) = split(filters.collect::<Result<_>>()?, &schema)?;
        let before = conjunction(safe.clone());
        let risky = risky.into_iter().map(|risky| match &before {
            Some(before) => either(before.clone(), risky, lit(false)),
            None => risky,
        });
        scan.filters = safe.into_iter().chain(risky).collect();
        return Ok(Transformed::yes(LogicalPlan::TableScan(scan)));
    }
    let schema = merge_schema(&plan.inputs());
    if !is_to_be_guarded(&plan, &schema)? {
        return Ok(Transformed::no(plan));
    }
    let is_filter = matches!(plan, LogicalPlan::Filter(_) | LogicalPlan::Join(_));
    let names = NamePreserver::new(&plan);
    plan.map_expressions(|expr| {
        let name = names.save(&expr);
        Ok(Transformed::yes(name.restore(guarded(expr, &schema, is_filter)?)))
    })
}

/// Whether some AND or OR has an operand that may fail, besides the only one that is evaluated in any case.
fn needs_guard(expr: &Expr, schema: &DFSchema) -> Result<bool> {
    let mut found = false;
    expr.apply(|expr| {
        if let Expr::BinaryExpr(BinaryExpr { op: Operator::And | Operator::Or, .. }) = expr {
            found |= may_fail(expr, schema)?;
            return Ok(TreeNodeRecursion::Jump);
        }
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// `is_filter` tells that NULL means the same as false.
fn guarded(expr: Expr, schema: &DFSchema, is_filter: bool) -> Result<Expr> {
    let op = match &expr {
        Expr::BinaryExpr(BinaryExpr { op: op @ (Operator::And | Operator::Or), .. }) => *op,
        _ => return Ok(expr.map_children(|child| Ok(Transformed::yes(guarded(child, schema, false)?)))?.data),
    };
    let operands = split_binary(&expr, op).into_iter().map(|operand| guarded(operand.clone(), schema, is_filter));
    let (safe, risky) = split(operands.collect::<Result<_>>()?, schema)?;
    let safe =
        safe.into_iter().reduce(|left, right| Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right))));
    let in_order = safe.into_iter().chain(risky).map(Ok);
    let guarded = in_order.reduce(|before, operand| {
        let (before, operand): (Expr, Expr) = (before?, operand?);
        if !may_fail(&operand, schema)? {
            return Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(before), op, Box::new(operand))));
        }
        let may_be_null = !is_filter && before.nullable(schema)?;
        Ok(match (op, may_be_null) {
            (Operator::And, false) => either(before, operand, lit(false)),
            (Operator::And, true) => unless_null(before, operand.clone(), operand, lit(false), op),
            (_, false) => either(before, lit(true), operand),
            (_, true) => unless_null(before, lit(true), operand.clone(), operand, op),
        })
    });
    guarded.unwrap_or(Ok(expr))
}

/// The expressions that cannot fail, and those that may.
fn split(exprs: Vec<Expr>, schema: &DFSchema) -> Result<(Vec<Expr>, Vec<Expr>)> {
    let (mut safe, mut risky) = (Vec::new(), Vec::new());
    for expr in exprs {
        if may_fail(&expr, schema)? { risky.push(expr) } else { safe.push(expr) }
    }
    Ok((safe, risky))
}

fn either(condition: Expr, then: Expr, otherwise: Expr) -> Expr {
    Expr::Case(Case {
        expr: None,
        when_then_expr: vec![(Box::new(condition), Box::new(then))],
        else_expr: Some(Box::new(otherwise)),
    })
}

/// As [`either`], where the condition may be NULL: then `operand` decides whether the whole is.
fn unless_null(condition: Expr, then: Expr, operand: Expr, otherwise: Expr, op: Operator) -> Expr {
    let null = Expr::Literal(ScalarValue::Boolean(None), None);
    let undecided = Expr::BinaryExpr(BinaryExpr::new(Box::new(operand), op, Box::new(null)));
    let is_null = condition.clone().is_null();
    let branches = vec![(Box::new(condition), Box::new(then)), (Box::new(is_null), Box::new(undecided))];
    Expr::Case(Case { expr: None, when_then_expr: branches, else_expr: Some(Box::new(otherwise)) })
}
