use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::internal_datafusion_err;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::analyze::AnalyzeExec;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use super::super::profile::ProfileExec;
use super::apply::{Apply, Question};
use super::apply_exec::ApplyExec;

/// DataFusion's planner, which also knows [`Apply`].
#[derive(Debug)]
pub(in crate::sql) struct Planner;

#[async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(&self, plan: &LogicalPlan, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(ApplyPlanner)]);
        let plan = planner.create_physical_plan(plan, session).await?;
        // No rule sees the root of EXPLAIN ANALYZE, which would spawn a task.
        Ok(match plan.downcast_ref::<AnalyzeExec>() {
            Some(analyze) => Arc::new(ProfileExec::new(analyze)),
            None => plan,
        })
    }
}

struct ApplyPlanner;

#[async_trait]
impl ExtensionPlanner for ApplyPlanner {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(apply) = node.as_any().downcast_ref::<Apply>() else {
            return Ok(None);
        };
        let [input, subquery] = inputs else {
            return Err(internal_datafusion_err!("Apply has two inputs"));
        };
        let mut arguments = apply
            .arguments
            .iter()
            .map(|argument| planner.create_physical_expr(argument, apply.input.schema(), session, context))
            .collect::<Result<Vec<_>>>()?;
        let guard = if apply.is_guarded { arguments.pop() } else { None };
        let needle = match apply.question {
            Question::In => arguments.pop(),
            _ => None,
        };
        let exec = ApplyExec::new(
            apply.question,
            Arc::clone(input),
            Arc::clone(subquery),
            arguments,
            needle,
            guard,
            apply.slots.clone(),
            // Without outer values it is evaluated once, as PostgreSQL does.
            !apply.slots.is_empty() && is_volatile(&apply.subquery)?,
            Arc::clone(apply.schema.inner()),
        );
        Ok(Some(Arc::new(exec)))
    }
}

fn is_volatile(plan: &LogicalPlan) -> Result<bool> {
    let mut volatile = false;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            volatile |= expr.is_volatile();
            Ok(if volatile { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })
    })?;
    Ok(volatile)
}
