//! Plans forget which of their columns are keys.
//!
//! DataFusion carries the keys of tables and of groups on through joins, groups and UNNEST, and takes for unique what
//! repeats there: it would drop columns from ORDER BY and GROUP BY, group by more of them than was asked for, and leave
//! DISTINCT and joins out. So tables declare no keys, and the keys of groups are forgotten before anything rests on
//! them. What `GROUP BY primary_key` determines is in `grouping.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchemaRef, FunctionalDependencies};
use datafusion::error::Result;
use datafusion::logical_expr::planner::{PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::{Distinct, LogicalPlan};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use datafusion::sql::sqlparser::ast::TableFactor;

use crate::sql::analyzer::any_node;

/// The plan, without keys.
fn drop_keys(plan: LogicalPlan) -> Result<LogicalPlan> {
    if !any_node(&plan, |node| Ok(has_keys(node.schema())))? {
        return Ok(plan);
    }
    let forgotten = plan.transform_up_with_subqueries(|mut node| {
        let schema = match &mut node {
            LogicalPlan::Projection(projection) => &mut projection.schema,
            LogicalPlan::Window(window) => &mut window.schema,
            LogicalPlan::Aggregate(aggregate) => &mut aggregate.schema,
            LogicalPlan::Join(join) => &mut join.schema,
            LogicalPlan::Union(union) => &mut union.schema,
            LogicalPlan::EmptyRelation(empty) => &mut empty.schema,
            LogicalPlan::SubqueryAlias(alias) => &mut alias.schema,
            LogicalPlan::Values(values) => &mut values.schema,
            LogicalPlan::Unnest(unnest) => &mut unnest.schema,
            LogicalPlan::Distinct(Distinct::On(distinct)) => &mut distinct.schema,
            // Those left have the schema of their input, or one in which nothing is a key.
            _ => return Ok(Transformed::no(node)),
        };
        if !has_keys(schema) {
            return Ok(Transformed::no(node));
        }
        *schema = without_keys(schema)?;
        Ok(Transformed::yes(node))
    })?;
    Ok(forgotten.data)
}

fn has_keys(schema: &DFSchemaRef) -> bool {
    !schema.functional_dependencies().is_empty()
}

fn without_keys(schema: &DFSchemaRef) -> Result<DFSchemaRef> {
    Ok(Arc::new(schema.as_ref().clone().with_functional_dependencies(FunctionalDependencies::empty())?))
}

/// Plans what stands in FROM as DataFusion does, and forgets its keys: SQL has GROUP BY by a key of stored tables
/// alone.
#[derive(Debug, Default)]
pub(crate) struct RelationsWithoutKeys {
    /// Whether DataFusion's planner comes back with what it was asked to plan.
    asks: AtomicBool,
}

impl RelationPlanner for RelationsWithoutKeys {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let may_have_keys = matches!(relation, TableFactor::Table { .. } | TableFactor::Derived { .. });
        if !may_have_keys || self.asks.swap(false, Ordering::Relaxed) {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        }
        self.asks.store(true, Ordering::Relaxed);
        let plan = drop_keys(context.plan(relation)?)?;
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, None))))
    }
}

/// A rule of DataFusion's on plans without keys.
#[derive(Debug)]
pub(super) struct WithoutKeys(pub(crate) Arc<dyn OptimizerRule + Send + Sync>);

impl OptimizerRule for WithoutKeys {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let plan = drop_keys(plan)?;
        // Nodes that the rule makes have keys again: those that are true, as they follow from no others.
        match self.0.apply_order() {
            Some(ApplyOrder::TopDown) => plan.transform_down_with_subqueries(|node| self.0.rewrite(node, config)),
            Some(ApplyOrder::BottomUp) => plan.transform_up_with_subqueries(|node| self.0.rewrite(node, config)),
            None => self.0.rewrite(plan, config),
        }
    }
}
