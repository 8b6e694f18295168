//! Projections that say the same as the one below them, as `SELECT s * 2 AS s FROM (SELECT s * 2 AS s FROM t)`:
//! DataFusion takes them for one. So each column that is computed from one of its own name gets a mark of its own,
//! which makes them differ.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::common::metadata::FieldMetadata;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// The key of the mark among the metadata of an alias.
const MARK: &str = "\0mark";

/// Sets the marks. It comes before the rule that compares projections.
#[derive(Debug, Default)]
pub(super) struct RepeatedProjections {
    n_marks: AtomicU64,
}

impl OptimizerRule for RepeatedProjections {
    fn name(&self) -> &'static str {
        "repeated_projections"
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        plan.transform_up_with_subqueries(|node| {
            let LogicalPlan::Projection(Projection { expr, input, schema, .. }) = &node else {
                return Ok(Transformed::no(node));
            };
            if !expr.iter().any(needs_mark) {
                return Ok(Transformed::no(node));
            }
            let exprs = expr.iter().map(|expr| if needs_mark(expr) { self.mark(expr.clone()) } else { expr.clone() });
            let marked = Projection::try_new_with_schema(exprs.collect(), input.clone(), schema.clone())?;
            Ok(Transformed::yes(LogicalPlan::Projection(marked)))
        })
    }
}

impl RepeatedProjections {
    fn mark(&self, mut expr: Expr) -> Expr {
        if let Expr::Alias(alias) = &mut expr {
            let number = self.n_marks.fetch_add(1, Ordering::Relaxed);
            let mark = FieldMetadata::from(BTreeMap::from([(MARK.to_owned(), number.to_string())]));
            match &mut alias.metadata {
                Some(metadata) => metadata.extend(mark),
                none => *none = Some(mark),
            }
        }
        expr
    }
}

/// Whether an expression gives a column a value that is computed from one of its own name, and has no mark.
fn needs_mark(expr: &Expr) -> bool {
    let Expr::Alias(alias) = expr else { return false };
    let is_marked = alias.metadata.as_ref().is_some_and(|metadata| metadata.inner().contains_key(MARK));
    !is_marked
        && !matches!(alias.expr.as_ref(), Expr::Column(_))
        && alias.expr.column_refs().iter().any(|column| column.name == alias.name)
}
