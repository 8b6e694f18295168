//! What windows are partitioned by, computed before them where it is a comparison or the like: DataFusion finds rows
//! that are sorted by such an expression unsorted when the function below it has bounds that cannot be told.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchemaRef};
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::logical_plan::{Projection, Window};
use datafusion::logical_expr::{Expr, LogicalPlan};

use crate::sql::analyzer::any_expression;

/// A window over rows that have such expressions as columns; without these columns above it.
pub(super) fn computed(window: Window) -> Result<LogicalPlan> {
    let mut parts: Vec<Expr> = Vec::new();
    let node = LogicalPlan::Window(window.clone());
    any_expression(&node, |expr| {
        if let Expr::WindowFunction(function) = expr.clone().unalias() {
            for part in function.params.partition_by {
                if is_compound(&part)? && !parts.contains(&part) {
                    parts.push(part);
                }
            }
        }
        Ok(false)
    })?;
    if parts.is_empty() {
        return Ok(node);
    }
    let schema = Arc::clone(&window.schema);
    let column = |at: usize| Column::new_unqualified(format!("\0part{at}"));
    let below = columns(window.input.schema())
        .chain(parts.iter().enumerate().map(|(at, part)| part.clone().alias(column(at).name)));
    let input = Arc::new(LogicalPlan::Projection(Projection::try_new(below.collect(), window.input)?));
    let names = NamePreserver::new_for_projection();
    let functions = window.window_expr.into_iter().map(|expr| {
        let name = names.save(&expr);
        let expr = expr.transform_up(|expr| {
            let Expr::WindowFunction(mut function) = expr else { return Ok(Transformed::no(expr)) };
            for part in &mut function.params.partition_by {
                if let Some(at) = parts.iter().position(|other| other == part) {
                    *part = Expr::Column(column(at));
                }
            }
            Ok(Transformed::yes(Expr::WindowFunction(function)))
        })?;
        Ok(name.restore(expr.data))
    });
    let window = LogicalPlan::Window(Window::try_new(functions.collect::<Result<_>>()?, input)?);
    Ok(LogicalPlan::Projection(Projection::try_new(columns(&schema).collect(), Arc::new(window))?))
}

fn columns(schema: &DFSchemaRef) -> impl Iterator<Item = Expr> {
    schema.columns().into_iter().map(Expr::Column)
}

/// Whether an expression has operators over functions, or over what becomes one.
fn is_compound(expr: &Expr) -> Result<bool> {
    let is_operator = |expr: &Expr| {
        Ok(matches!(
            expr,
            Expr::BinaryExpr(_)
                | Expr::Between(_)
                | Expr::InList(_)
                | Expr::Like(_)
                | Expr::SimilarTo(_)
                | Expr::Not(_)
                | Expr::Negative(_)
        ) || becomes_cast(expr))
    };
    let stays = |expr: &Expr| {
        Ok(matches!(expr, Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_)))
    };
    Ok(expr.exists(is_operator)? && !expr.exists(stays)?)
}

/// Whether it is a cast of a column, or may turn out to be one: of two columns that are equal one alone is sorted by.
fn becomes_cast(expr: &Expr) -> bool {
    let is_cast = match expr {
        Expr::Cast(_) | Expr::Case(_) => true,
        Expr::ScalarFunction(call) => matches!(call.func.name(), "coalesce" | "nullif"),
        _ => false,
    };
    is_cast && !expr.contains_outer()
}
