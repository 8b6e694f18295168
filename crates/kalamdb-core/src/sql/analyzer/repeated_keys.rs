//! A key that GROUP BY names twice is one key.

use std::collections::HashSet;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

use super::expressions::any_node;

/// Takes repeated keys out of aggregates: the columns that DataFusion gives these have each key once, and what goes by
/// position would take a key for an aggregate.
#[derive(Debug)]
pub(crate) struct RepeatedKeys;

impl AnalyzerRule for RepeatedKeys {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        if !any_node(&plan, |node| {
            Ok(matches!(node, LogicalPlan::Aggregate(aggregate) if repeats(&aggregate.group_expr)))
        })? {
            return Ok(plan);
        }
        let plan = plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Aggregate(mut aggregate) if repeats(&aggregate.group_expr) => {
                let mut seen = HashSet::new();
                aggregate.group_expr.retain(|key| seen.insert(key.clone()));
                Ok(Transformed::yes(LogicalPlan::Aggregate(aggregate)))
            }
            other => Ok(Transformed::no(other)),
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &'static str {
        "repeated_keys"
    }
}

fn repeats(keys: &[Expr]) -> bool {
    keys.len() > 1 && keys.iter().collect::<HashSet<_>>().len() < keys.len()
}
