//! Conditions that may fail stay above what they are written above, as conditions below may exclude rows for which they
//! fail.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchemaRef, internal_datafusion_err, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::logical_plan::{Extension, Filter, Join};
use datafusion::logical_expr::utils::{conjunction, split_conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    UserDefinedLogicalNodeCore, Volatility,
};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::fails::may_fail;
use crate::sql::analyzer::any_node;
use crate::sql::subqueries::Apply;

/// The rule that moves conditions towards tables, for those that cannot fail.
#[derive(Debug)]
pub(crate) struct Hold(pub(crate) Arc<dyn OptimizerRule + Send + Sync>);

impl OptimizerRule for Hold {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let risky = any_node(&plan, is_risky)?;
        let step = |node: LogicalPlan| {
            let node = before_apply(node)?;
            if node.transformed || stays(&node.data) { Ok(node) } else { self.0.rewrite(node.data, config) }
        };
        let move_down = |plan: LogicalPlan| match self.0.apply_order() {
            Some(ApplyOrder::TopDown) => plan.transform_down_with_subqueries(step),
            Some(ApplyOrder::BottomUp) => plan.transform_up_with_subqueries(step),
            None => self.0.rewrite(plan, config),
        };
        if !risky {
            return move_down(plan);
        }
        let held = plan.transform_up_with_subqueries(hold)?.data;
        move_down(held)?.map_data(|plan| Ok(plan.transform_up_with_subqueries(release)?.data))
    }
}

/// Whether a filter has to be above its input. An aggregate that gives a row for no rows gives it whatever a condition
/// below says, even one that names no column; and a condition that is volatile is about the rows of its input, not
/// about those that these are made of.
fn stays(node: &LogicalPlan) -> bool {
    let LogicalPlan::Filter(Filter { predicate, input, .. }) = node else { return false };
    let mut below = input.as_ref();
    // Filters above each other are made one before they are moved.
    while let LogicalPlan::Filter(filter) = below {
        below = &filter.input;
    }
    match below {
        LogicalPlan::Aggregate(aggregate) => {
            matches!(aggregate.group_expr.as_slice(), [] | [Expr::GroupingSet(_)]) || predicate.is_volatile()
        }
        LogicalPlan::Window(_) | LogicalPlan::Distinct(_) => predicate.is_volatile(),
        _ => false,
    }
}

/// Moves conditions on the rows that are LATERAL to nothing below what is LATERAL to them: it is asked for fewer rows.
fn before_apply(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Filter(Filter { predicate, input, .. }) = &node else { return Ok(Transformed::no(node)) };
    let LogicalPlan::Extension(Extension { node: extension }) = input.as_ref() else {
        return Ok(Transformed::no(node));
    };
    let Some(apply) = extension.as_any().downcast_ref::<Apply>() else { return Ok(Transformed::no(node)) };
    let is_before = |condition: &Expr| {
        let rows = apply.input.schema();
        !condition.is_volatile()
            && condition.column_refs().into_iter().all(|column| rows.maybe_index_of_column(column).is_some())
    };
    let (before, after): (Vec<_>, Vec<_>) = split_conjunction_owned(predicate.clone()).into_iter().partition(is_before);
    let Some(before) = conjunction(before) else { return Ok(Transformed::no(node)) };
    let rows = LogicalPlan::Filter(Filter::try_new(before, Arc::new(apply.input.clone()))?);
    let apply = apply.with_exprs_and_inputs(apply.arguments.clone(), vec![rows, apply.subquery.clone()])?;
    let apply = LogicalPlan::Extension(Extension { node: Arc::new(apply) });
    Ok(Transformed::yes(match conjunction(after) {
        Some(after) => LogicalPlan::Filter(Filter::try_new(after, Arc::new(apply))?),
        None => apply,
    }))
}

fn is_risky(node: &LogicalPlan) -> Result<bool> {
    match node {
        LogicalPlan::Filter(filter) => is_held(&filter.predicate, &filter.input),
        LogicalPlan::Join(join) => {
            Ok(join.filter.as_ref().map(|filter| may_fail(filter, &join.schema)).transpose()?.unwrap_or(false))
        }
        _ => Ok(false),
    }
}

/// Whether a condition may fail, or something that it is about.
fn is_held(condition: &Expr, input: &LogicalPlan) -> Result<bool> {
    if may_fail(condition, input.schema())? {
        return Ok(true);
    }
    for column in condition.column_refs() {
        if let Some(at) = input.schema().maybe_index_of_column(column)
            && is_computed(input, at)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a column is the value of an expression that may fail.
fn is_computed(plan: &LogicalPlan, at: usize) -> Result<bool> {
    match plan {
        LogicalPlan::Projection(projection) => match projection.expr.get(at).map(|expr| expr.clone().unalias()) {
            Some(Expr::Column(column)) => match projection.input.schema().maybe_index_of_column(&column) {
                Some(at) => is_computed(&projection.input, at),
                None => Ok(false),
            },
            Some(expr) => is_held(&expr, &projection.input),
            None => Ok(false),
        },
        LogicalPlan::SubqueryAlias(alias) => is_computed(&alias.input, at),
        LogicalPlan::Filter(filter) => is_computed(&filter.input, at),
        LogicalPlan::Sort(sort) => is_computed(&sort.input, at),
        _ => Ok(false),
    }
}

fn hold(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    if !is_risky(&node)? {
        return Ok(Transformed::no(node));
    }
    Ok(Transformed::yes(match node {
        LogicalPlan::Filter(Filter { predicate, input, .. }) => {
            let (mut held, mut others) = (Vec::new(), Vec::new());
            for condition in split_conjunction_owned(predicate) {
                if is_held(&condition, &input)? { held.push(condition) } else { others.push(condition) }
            }
            let input = match conjunction(others) {
                Some(others) => Arc::new(LogicalPlan::Filter(Filter::try_new(others, input)?)),
                None => input,
            };
            LogicalPlan::Extension(Extension {
                node: Arc::new(Held { conditions: held, input: Arc::unwrap_or_clone(input) }),
            })
        }
        LogicalPlan::Join(mut join) => {
            join.filter = hold_in_join(&join)?;
            LogicalPlan::Join(join)
        }
        other => other,
    }))
}

/// The join's condition, in which what may fail is about both sides.
fn hold_in_join(join: &Join) -> Result<Option<Expr>> {
    let sides: Vec<Expr> = [&join.left, &join.right]
        .into_iter()
        .filter_map(|side| side.schema().columns().into_iter().next().map(Expr::Column))
        .collect();
    let mut conditions = Vec::new();
    for condition in join.filter.iter().flat_map(split_conjunction) {
        conditions.push(if may_fail(condition, &join.schema)? {
            let function = About { signature: Signature::variadic_any(Volatility::Immutable) };
            ScalarUDF::new_from_impl(function).call([vec![condition.clone()], sides.clone()].concat())
        } else {
            condition.clone()
        });
    }
    Ok(conjunction(conditions))
}

fn release(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    match node {
        LogicalPlan::Extension(Extension { node }) if node.as_any().is::<Held>() => {
            let held =
                node.as_any().downcast_ref::<Held>().ok_or_else(|| internal_datafusion_err!("a condition is held"))?;
            let (mut conditions, mut input) = (Vec::new(), Arc::new(held.input.clone()));
            if let LogicalPlan::Filter(filter) = input.as_ref() {
                conditions = split_conjunction_owned(filter.predicate.clone());
                input = Arc::clone(&filter.input);
            }
            conditions.extend(held.conditions.iter().cloned());
            Ok(Transformed::yes(match conjunction(conditions) {
                Some(condition) => LogicalPlan::Filter(Filter::try_new(condition, input)?),
                None => Arc::unwrap_or_clone(input),
            }))
        }
        LogicalPlan::Join(mut join) if join.filter.is_some() => {
            join.filter = join
                .filter
                .map(|filter| {
                    conjunction(split_conjunction_owned(filter).into_iter().map(released))
                        .map_or_else(|| internal_err!("a condition is gone"), Ok)
                })
                .transpose()?;
            Ok(Transformed::yes(LogicalPlan::Join(join)))
        }
        other => Ok(Transformed::no(other)),
    }
}

fn released(condition: Expr) -> Expr {
    match condition {
        Expr::ScalarFunction(ScalarFunction { func, mut args })
            if func.inner().downcast_ref::<About>().is_some() && !args.is_empty() =>
        {
            args.swap_remove(0)
        }
        other => other,
    }
}

/// A filter that stays where it is. Other conditions may pass it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Held {
    conditions: Vec<Expr>,
    input: LogicalPlan,
}

impl PartialOrd for Held {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for Held {
    fn name(&self) -> &'static str {
        "Held"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        self.conditions.clone()
    }

    fn prevent_predicate_push_down_columns(&self) -> std::collections::HashSet<String> {
        std::collections::HashSet::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Held: {:?}", self.conditions)
    }

    fn with_exprs_and_inputs(&self, conditions: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let input = inputs.pop().ok_or_else(|| internal_datafusion_err!("a filter has one input"))?;
        Ok(Self { conditions, input })
    }
}

/// A condition that is about columns which it does not name: its other arguments.
#[derive(Debug, PartialEq, Eq, Hash)]
struct About {
    signature: Signature,
}

impl ScalarUDFImpl for About {
    fn name(&self) -> &'static str {
        "about"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if args.args.is_empty() {
            return internal_err!("there is no condition");
        }
        Ok(args.args.swap_remove(0))
    }
}
