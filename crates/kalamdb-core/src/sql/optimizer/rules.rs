//! The rules by which plans are made faster: DataFusion's, but for what they get wrong.

use std::sync::Arc;

use datafusion::optimizer::{Optimizer, OptimizerRule};

use super::keys::WithoutKeys;
use super::repeated_projections::RepeatedProjections;
use super::several_arguments::OneArgument;
use super::simplify::Simplify;
use crate::sql::analyzer::RepeatedOrders;
use crate::sql::optimizer::evaluation::Hold;

/// The rules that rest on keys, which DataFusion gets wrong.
const BY_KEYS: [&str; 4] =
    ["eliminate_duplicated_expr", "eliminate_join", "optimize_projections", "replace_distinct_aggregate"];

/// A rule that takes fewer groups for the same, and fails where a column and a cast of it are grouped by, as it calls
/// them the same.
const LEFT_OUT: &str = "eliminate_group_by_constant";

/// The rules, in their order.
pub(crate) fn rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let mended = |rule: Arc<dyn OptimizerRule + Send + Sync>| -> Arc<dyn OptimizerRule + Send + Sync> {
        match rule.name() {
            name if BY_KEYS.contains(&name) => Arc::new(WithoutKeys(rule)),
            "push_down_filter" => Arc::new(Hold(rule)),
            "single_distinct_aggregation_to_group_by" => Arc::new(OneArgument(rule)),
            "simplify_expressions" => Arc::new(Simplify(rule)),
            _ => rule,
        }
    };
    let rules = Optimizer::new().rules.into_iter().filter(|rule| rule.name() != LEFT_OUT).flat_map(|rule| {
        let before = (rule.name() == "optimize_projections").then(|| Arc::new(RepeatedProjections::default()) as _);
        before.into_iter().chain([mended(rule)])
    });
    rules.chain([Arc::new(RepeatedOrders) as _]).collect()
}
