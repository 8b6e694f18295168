//! The rules by which plans are made faster: DataFusion's, but for what they get wrong.

use std::sync::Arc;

use datafusion::optimizer::{Optimizer, OptimizerRule};

use super::keys::Keyless;

/// The rules that rest on keys, which DataFusion gets wrong.
const BY_KEYS: [&str; 4] = ["eliminate_duplicated_expr", "eliminate_join", "optimize_projections", "replace_distinct_aggregate"];

/// The rules, in their order.
pub(super) fn rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let rules = Optimizer::new().rules.into_iter();
    rules.map(|rule| if BY_KEYS.contains(&rule.name()) { Arc::new(Keyless(rule)) as Arc<dyn OptimizerRule + Send + Sync> } else { rule }).collect()
}
