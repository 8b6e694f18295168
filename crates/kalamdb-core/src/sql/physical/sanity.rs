//! The last look at a physical plan: whether what operators require of the order of their input is so. DataFusion's own
//! look fails where it cannot tell the bounds of an expression that is sorted by, although the sort is there, and where
//! the branches of a union are each sorted.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexRequirement, PhysicalExpr, PhysicalSortRequirement};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::sanity_checker::check_plan_sanity;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

/// The rule of DataFusion in the place of which this one comes.
pub(super) const CHECK: &str = "SanityCheckPlan";

#[derive(Debug)]
pub(super) struct Sanity;

impl PhysicalOptimizerRule for Sanity {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.apply(|node| match check_plan_sanity(node, &config.optimizer) {
            Err(error) if !orders_hold(node)? => Err(error),
            _ => Ok(TreeNodeRecursion::Continue),
        })?;
        Ok(plan)
    }

    fn name(&self) -> &'static str {
        CHECK
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn orders_hold(node: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    for (child, required) in node.children().into_iter().zip(node.required_input_ordering()) {
        if let Some(required) = required
            && !is_sorted(child, &required.into_single())?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_sorted(plan: &Arc<dyn ExecutionPlan>, required: &LexRequirement) -> Result<bool> {
    if plan.equivalence_properties().ordering_satisfy_requirement(required.clone())? {
        return Ok(true);
    }
    if plan.is::<UnionExec>() {
        for branch in plan.children() {
            let of_branch = required.iter().map(|by| of_branch(by, branch)).collect::<Result<Vec<_>>>()?;
            if !LexRequirement::new(of_branch).map_or(Ok(true), |required| is_sorted(branch, &required))? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    let Some(order) = plan.output_ordering() else { return Ok(false) };
    let equal = plan.equivalence_properties().eq_group();
    let same = |expr: &Arc<dyn PhysicalExpr>| equal.normalize_expr(Arc::clone(expr));
    // Rows that are sorted by a value are sorted by each of its equals too.
    let (mut order, mut sorted_by) = (order.iter(), Vec::new());
    for required in required.iter() {
        let expr = same(&required.expr);
        if sorted_by.contains(&expr) {
            continue;
        }
        let holds = order
            .next()
            .is_some_and(|by| same(&by.expr).eq(&expr) && required.options.is_none_or(|options| options == by.options));
        if !holds {
            return Ok(false);
        }
        sorted_by.push(expr);
    }
    Ok(true)
}

/// A requirement with the names that a branch of a union gives its columns.
fn of_branch(required: &PhysicalSortRequirement, branch: &Arc<dyn ExecutionPlan>) -> Result<PhysicalSortRequirement> {
    let schema = branch.schema();
    let expr = Arc::clone(&required.expr).transform(|expr| {
        let Some(column) = expr.downcast_ref::<Column>() else { return Ok(Transformed::no(expr)) };
        let name =
            schema.fields().get(column.index()).map_or_else(|| column.name().to_owned(), |field| field.name().clone());
        Ok(Transformed::yes(Arc::new(Column::new(&name, column.index())) as _))
    });
    Ok(PhysicalSortRequirement::new(expr.data()?, required.options))
}
