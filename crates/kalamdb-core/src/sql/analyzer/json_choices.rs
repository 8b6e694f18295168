//! A choice between values of JSON is JSON: the planner makes a text of it.

use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Case, Expr, ExprSchemable, LogicalPlan, lit};
use datafusion::optimizer::AnalyzerRule;
use kalamdb_types::SqlType;

use super::expressions::{any_expression, rewrite};
use crate::functions::cast_to;

#[derive(Debug)]
pub(crate) struct JsonChoices;

impl AnalyzerRule for JsonChoices {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        Ok(plan.transform_up_with_subqueries(node)?.data)
    }

    fn name(&self) -> &'static str {
        "json_choices"
    }
}

fn node(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let schema = merge_schema(&node.inputs());
    if !any_expression(&node, |expr| expr.exists(|expr| Ok(chooses_json(expr, &schema))))? {
        return Ok(Transformed::no(node));
    }
    let node = rewrite(node, |expr| {
        Ok(if chooses_json(&expr, &schema) {
            Transformed::yes(cast_to().call(vec![expr, lit(SqlType::Json.to_string())]))
        } else {
            Transformed::no(expr)
        })
    })?;
    node.map_data(LogicalPlan::recompute_schema)
}

fn chooses_json(expr: &Expr, schema: &DFSchema) -> bool {
    match expr {
        Expr::Case(Case { when_then_expr, else_expr, .. }) => {
            let mut results = when_then_expr.iter().map(|(_, then)| then.as_ref()).chain(else_expr.as_deref());
            results.any(|result| is_json(result, schema))
        }
        Expr::ScalarFunction(ScalarFunction { func, args }) => match func.name() {
            "coalesce" => args.iter().any(|arg| is_json(arg, schema)),
            "nullif" => args.first().is_some_and(|value| is_json(value, schema)),
            _ => false,
        },
        _ => false,
    }
}

fn is_json(expr: &Expr, schema: &DFSchema) -> bool {
    chooses_json(expr, schema)
        || expr.to_field(schema).is_ok_and(|(_, field)| SqlType::of_field(&field) == Some(SqlType::Json))
}
