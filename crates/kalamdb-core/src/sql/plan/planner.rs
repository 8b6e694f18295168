//! DataFusion's planner of operators, which also knows the node of subqueries.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::internal_datafusion_err;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{Column, cast};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::analyze::AnalyzeExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use super::join_keys::name_keys;
use crate::error::{Error, ErrorKind, into_datafusion};
use crate::sql::analyzer::numbers::comparison_type;
use crate::sql::optimizer::evaluation::guard;
use crate::sql::physical::ProfileExec;
use crate::sql::subqueries::{Apply, ApplyArguments, ApplyExec, SubqueryKind};

/// DataFusion's planner, which also knows [`Apply`].
#[derive(Debug)]
pub(super) struct Planner;

#[async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(&self, plan: &LogicalPlan, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(ApplyPlanner)]);
        let plan = planner.create_physical_plan(name_keys(guard(plan)?)?.as_ref(), session).await?;
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
        let mut subquery = Arc::clone(subquery);
        let spec = &apply.spec;
        let mut outer = apply
            .arguments
            .iter()
            .map(|argument| planner.create_physical_expr(argument, apply.input.schema(), session, context))
            .collect::<Result<Vec<_>>>()?;
        let guard = if spec.is_guarded { outer.pop() } else { None };
        let mut compared_value = None;
        if let Some(value) = outer.pop_if(|_| spec.kind == SubqueryKind::In) {
            let comparable = comparable(value, &input.schema(), subquery)?;
            compared_value = Some(comparable.0);
            subquery = comparable.1;
        }
        let exec = ApplyExec::new(
            spec.clone(),
            Arc::clone(input),
            subquery,
            ApplyArguments { outer, compared_value, guard },
            // Without outer values it is evaluated once, as PostgreSQL does.
            !spec.slots.is_empty() && is_volatile(&apply.subquery)?,
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

/// The value that is looked for by IN, and the subquery in whose column, both of one type.
fn comparable(
    value: Arc<dyn PhysicalExpr>,
    schema: &SchemaRef,
    subquery: Arc<dyn ExecutionPlan>,
) -> Result<(Arc<dyn PhysicalExpr>, Arc<dyn ExecutionPlan>)> {
    let (value_type, column_type) = (value.data_type(schema)?, subquery.schema().field(0).data_type().clone());
    if value_type == column_type {
        return Ok((value, subquery));
    }
    let common = comparison_type(&value_type, &column_type).ok_or_else(|| {
        let message = format!("{value_type} cannot be compared with {column_type} in IN");
        into_datafusion(Error::new(ErrorKind::DatatypeMismatch, message).with_hint("cast one of them"))
    })?;
    let value = cast(value, schema, common.clone())?;
    let name = subquery.schema().field(0).name().clone();
    let column = cast(Arc::new(Column::new(&name, 0)), &subquery.schema(), common)?;
    Ok((value, Arc::new(ProjectionExec::try_new([(column, name)], subquery)?)))
}
