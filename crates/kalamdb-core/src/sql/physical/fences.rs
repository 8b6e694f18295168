//! Fences in physical plans: where DataFusion's optimizer would carry an order past an operator that does not bear it.
//!
//! - A sort is moved below an OFFSET, which then leaves out other rows. A fence keeps the order that the OFFSET counts
//!   in.
//! - The sort of a subquery whose rows are collected, as by `array_agg`, is taken for useless. A fence keeps it.
//! - Grouping sets put NULL in place of a column, so that the order, the constants and the keys of their input say
//!   nothing about their groups; taken as said, groups come twice or out of order. A fence on both sides hides them.
//! - An outer join puts NULL there as well: what is constant on a side may be NULL above it.
//! - A column that is constant in each branch of a UNION ALL need not be so in all of them. The optimizer leaves it out
//!   of the order that a LIMIT keeps the first rows of, in all branches together.
//! - Of `a = a + b` the optimizer replaces one by the other without end, and finds an order where there is none.

use std::fmt;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, Statistics, internal_datafusion_err};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::BinaryExpr;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{EquivalenceProperties, OrderingRequirements, PhysicalExpr, split_conjunction};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::limit::GlobalLimitExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
    ReplaceChildrenOptions, StatisticsArgs,
};

use super::sanity::{CHECK, Sanity};

/// The rule of DataFusion that decides where to sort.
const SORTING: &str = "EnsureRequirements";

/// The rule that moves conditions down in physical plans. The tables here take none that way, the logical plan has
/// moved what can be, and it computes what a condition names again below: a random() other than the one that is shown.
const FILTERS: [&str; 2] = ["FilterPushdown", "FilterPushdown(Post)"];

/// The rule that has operators return to their task now and then: in a browser that gives nobody else a turn.
const COOPERATION: &str = "EnsureCooperative";

/// DataFusion's rules for physical plans, with fences up while it decides where to sort.
pub(crate) fn physical_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> = vec![Arc::new(HideOrders)];
    for rule in PhysicalOptimizer::new().rules {
        if FILTERS.contains(&rule.name()) || rule.name() == COOPERATION {
            continue;
        }
        if rule.name() == CHECK {
            rules.push(Arc::new(Sanity));
        } else if rule.name() == SORTING {
            rules.extend([Arc::new(KeepOrders) as _, rule, Arc::new(TakeDown) as _]);
        } else {
            rules.push(rule);
        }
    }
    rules
}

/// Puts fences around grouping sets, for good.
#[derive(Debug)]
struct HideOrders;

impl PhysicalOptimizerRule for HideOrders {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            if node.downcast_ref::<FilterExec>().is_some_and(|filter| equals_itself(filter.predicate())) {
                return Ok(Transformed::yes(Arc::new(FenceExec::new(node, Order::Hidden)) as Arc<dyn ExecutionPlan>));
            }
            if node.is::<UnionExec>() {
                return Ok(Transformed::yes(Arc::new(FenceExec::new(node, Order::OfAll)) as Arc<dyn ExecutionPlan>));
            }
            let Some(aggregate) = node.downcast_ref::<AggregateExec>() else { return hide_sides(node) };
            let above = *aggregate.mode() != AggregateMode::Partial && has_grouping_sets(aggregate);
            let below = aggregate.group_expr().has_grouping_set();
            let mut fenced = Arc::clone(&node);
            if below {
                let input = FenceExec::new(Arc::clone(aggregate.input()), Order::Hidden);
                fenced = fenced.replace_children(
                    vec![Arc::new(input)],
                    ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute),
                )?;
            }
            if above {
                fenced = Arc::new(FenceExec::new(fenced, Order::Hidden));
            }
            Ok(if above || below { Transformed::yes(fenced) } else { Transformed::no(node) })
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "hide_orders"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The join, with what is known of a side only where the other has a row for it.
fn hide_sides(node: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    let hash = node.downcast_ref::<HashJoinExec>().map(|join| *join.join_type());
    let nested = node.downcast_ref::<NestedLoopJoinExec>().map(|join| *join.join_type());
    let has_nulls = match hash.or(nested) {
        Some(JoinType::Left) => [false, true],
        Some(JoinType::Right) => [true, false],
        Some(JoinType::Full) => [true, true],
        _ => return Ok(Transformed::no(node)),
    };
    let is_hidden = |side: &Arc<dyn ExecutionPlan>, has_nulls: bool| {
        has_nulls && !side.equivalence_properties().eq_group().is_empty()
    };
    let sides: Vec<_> = node
        .children()
        .into_iter()
        .zip(has_nulls)
        .map(|(side, has_nulls)| (Arc::clone(side), is_hidden(side, has_nulls)))
        .collect();
    if !sides.iter().any(|(_, hidden)| *hidden) {
        return Ok(Transformed::no(node));
    }
    let fenced = |(side, hidden)| {
        if hidden { Arc::new(FenceExec::new(side, Order::Hidden)) as Arc<dyn ExecutionPlan> } else { side }
    };
    let sides = sides.into_iter().map(fenced).collect();
    Ok(Transformed::yes(node.replace_children(sides, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))?))
}

/// Whether a condition says that something is equal to what is computed of it.
fn equals_itself(condition: &Arc<dyn PhysicalExpr>) -> bool {
    split_conjunction(condition).into_iter().any(|condition| {
        let Some(equality) = condition.downcast_ref::<BinaryExpr>().filter(|binary| *binary.op() == Operator::Eq)
        else {
            return false;
        };
        let (left, right) = (collect_columns(equality.left()), collect_columns(equality.right()));
        left.intersection(&right).next().is_some()
    })
}

/// Whether the groups are those of grouping sets, be it that the operator below has made them.
fn has_grouping_sets(aggregate: &AggregateExec) -> bool {
    aggregate.group_expr().has_grouping_set()
        || aggregate.input().downcast_ref::<AggregateExec>().is_some_and(has_grouping_sets)
}

/// Whether an aggregate collects its rows in the order in which they come, and asks for none.
fn is_ordered(aggregate: &AggregateExec) -> bool {
    let functions = aggregate.aggr_expr();
    functions.iter().any(|function| function.fun().name().ends_with("_agg"))
        && functions.iter().all(|function| function.order_bys().is_empty())
}

/// Puts a fence above the sort of the subquery whose rows come, if there is one.
fn keep_sort(input: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if input.downcast_ref::<SortExec>().is_some() {
        return Ok(Some(Arc::new(FenceExec::new(Arc::clone(input), Order::Kept))));
    }
    if input.downcast_ref::<ProjectionExec>().is_none() && input.downcast_ref::<FilterExec>().is_none() {
        return Ok(None);
    }
    let below = input.children().first().map_or(Ok(None), |child| keep_sort(child))?;
    let above = |below| {
        Arc::clone(input).replace_children(vec![below], ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    };
    below.map(above).transpose()
}

/// Puts a fence above each OFFSET, and above the ORDER BY of a subquery whose rows are collected.
#[derive(Debug)]
struct KeepOrders;

impl PhysicalOptimizerRule for KeepOrders {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            if node.downcast_ref::<GlobalLimitExec>().is_some_and(|limit| limit.skip() > 0) {
                return Ok(Transformed::yes(Arc::new(FenceExec::new(node, Order::Kept)) as Arc<dyn ExecutionPlan>));
            }
            if let Some(aggregate) = node.downcast_ref::<AggregateExec>().filter(|aggregate| is_ordered(aggregate))
                && let Some(input) = keep_sort(aggregate.input())?
            {
                let kept =
                    node.replace_children(vec![input], ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))?;
                return Ok(Transformed::yes(kept));
            }
            Ok(Transformed::no(node))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "keep_orders"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Takes these fences away again.
#[derive(Debug)]
struct TakeDown;

impl PhysicalOptimizerRule for TakeDown {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| match node.downcast_ref::<FenceExec>() {
            Some(fence) if fence.order == Order::Kept => Ok(Transformed::yes(Arc::clone(&fence.input))),
            _ => Ok(Transformed::no(node)),
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "take_down_fences"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// What a fence does with the order of its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// It needs it and passes it on.
    Kept,
    /// It says nothing of it.
    Hidden,
    /// It says what holds for the rows of all branches.
    OfAll,
}

/// Passes the rows of its input on.
#[derive(Debug)]
struct FenceExec {
    input: Arc<dyn ExecutionPlan>,
    order: Order,
    properties: Arc<PlanProperties>,
}

impl FenceExec {
    fn new(input: Arc<dyn ExecutionPlan>, order: Order) -> Self {
        let properties = match order {
            Order::Kept => Arc::clone(input.properties()),
            Order::Hidden => Arc::new(of(&input, EquivalenceProperties::new(input.schema()))),
            Order::OfAll => {
                let mut equivalences = input.equivalence_properties().clone();
                equivalences.clear_per_partition_constants();
                Arc::new(of(&input, equivalences))
            }
        };
        Self { input, order, properties }
    }
}

fn of(input: &Arc<dyn ExecutionPlan>, equivalences: EquivalenceProperties) -> PlanProperties {
    let partitioning = input.output_partitioning().clone();
    PlanProperties::new(equivalences, partitioning, input.pipeline_behavior(), input.boundedness())
}

impl DisplayAs for FenceExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FenceExec")
    }
}

impl ExecutionPlan for FenceExec {
    fn name(&self) -> &'static str {
        "FenceExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        let order = match self.order {
            Order::Kept => self.input.output_ordering().cloned().map(OrderingRequirements::from),
            Order::Hidden | Order::OfAll => None,
        };
        vec![order]
    }

    // No: what needs another order sorts above the fence.
    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.pop().ok_or_else(|| internal_datafusion_err!("FenceExec has one input"))?;
        Ok(Arc::new(Self::new(input, self.order)))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        inputs.first().cloned().ok_or_else(|| internal_datafusion_err!("FenceExec has one input"))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }
}
