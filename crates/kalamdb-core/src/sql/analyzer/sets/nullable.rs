//! Every column of a set may be NULL.

use std::sync::Arc;

use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::logical_plan::{RecursiveQuery, Union};
use datafusion::optimizer::AnalyzerRule;

use crate::sql::analyzer::any_node;

/// Lets every column of a set be NULL. It comes after the rules that replace expressions: a UNION keeps what it knew of
/// its inputs when they change, and a plan whose rows may be NULL where it says that they are not is refused.
#[derive(Debug)]
pub(crate) struct NullableSets;

impl AnalyzerRule for NullableSets {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        if !any_node(&plan, |node| Ok(matches!(node, LogicalPlan::Union(_) | LogicalPlan::RecursiveQuery(_))))? {
            return Ok(plan);
        }
        let plan = plan.transform_up_with_subqueries(|node| {
            Ok(Transformed::yes(match node {
                LogicalPlan::Union(Union { inputs, schema }) => {
                    LogicalPlan::Union(Union { inputs, schema: Arc::new(nullable(&schema)?) })
                }
                LogicalPlan::RecursiveQuery(RecursiveQuery {
                    name,
                    static_term,
                    recursive_term,
                    is_distinct,
                    schema,
                }) => {
                    let schema = Arc::new(nullable(&schema)?);
                    LogicalPlan::RecursiveQuery(RecursiveQuery {
                        name,
                        static_term,
                        recursive_term,
                        is_distinct,
                        schema,
                    })
                }
                other => other.recompute_schema()?,
            }))
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &'static str {
        "nullable_sets"
    }
}

fn nullable(schema: &DFSchema) -> Result<DFSchema> {
    let fields = schema
        .iter()
        .map(|(qualifier, field)| (qualifier.cloned(), Arc::new(field.as_ref().clone().with_nullable(true))));
    DFSchema::new_with_metadata(fields.collect(), schema.metadata().clone())
}
