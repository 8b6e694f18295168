//! Keys of groups and windows that are different each time they are computed, as `GROUP BY random() < 0.5`: computed
//! once, below.
//!
//! DataFusion computes such a key again for each operator that names it: for the sort below a window, or for a
//! condition that it moves from above the groups below them.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, DFSchema};
use datafusion::error::Result;
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Aggregate, Expr, GroupingSet, LogicalPlan, Projection, Window};
use datafusion::optimizer::AnalyzerRule;

/// Computes them in a projection below the operator.
#[derive(Debug)]
pub(crate) struct VolatileKeys;

impl AnalyzerRule for VolatileKeys {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Aggregate(node) => aggregate(node),
            LogicalPlan::Window(node) => window(node),
            node => Ok(Transformed::no(node)),
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "volatile_keys"
    }
}

fn aggregate(node: Aggregate) -> Result<Transformed<LogicalPlan>> {
    if !node.group_expr.iter().any(Expr::is_volatile) {
        return Ok(Transformed::no(LogicalPlan::Aggregate(node)));
    }
    let mut keys = Keys::default();
    let groups = node.group_expr.iter().map(|expr| match expr {
        Expr::GroupingSet(sets) => Expr::GroupingSet(match sets {
            GroupingSet::Rollup(exprs) => GroupingSet::Rollup(keys.columns(exprs)),
            GroupingSet::Cube(exprs) => GroupingSet::Cube(keys.columns(exprs)),
            GroupingSet::GroupingSets(sets) => {
                GroupingSet::GroupingSets(sets.iter().map(|exprs| keys.columns(exprs)).collect())
            }
        }),
        expr => keys.column(expr),
    });
    let groups = groups.collect();
    let input = keys.project(&node.input)?;
    let computed = LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(input), groups, node.aggr_expr)?);
    // The columns are the same, but for the names of the keys.
    let columns = (0..computed.schema().fields().len()).collect::<Vec<_>>();
    renamed(computed, &columns, &node.schema)
}

fn window(node: Window) -> Result<Transformed<LogicalPlan>> {
    let mut keys = Keys::default();
    let exprs = node.window_expr.iter().cloned().map(|expr| {
        expr.transform_up(|expr| {
            let Expr::WindowFunction(mut function) = expr else { return Ok(Transformed::no(expr)) };
            let params = &mut function.params;
            params.partition_by = keys.columns(&params.partition_by);
            params.order_by =
                params.order_by.iter().map(|sort| Sort { expr: keys.column(&sort.expr), ..sort.clone() }).collect();
            Ok(Transformed::yes(Expr::WindowFunction(function)))
        })
        .data()
    });
    let exprs = exprs.collect::<Result<Vec<_>>>()?;
    if keys.exprs.is_empty() {
        return Ok(Transformed::no(LogicalPlan::Window(node)));
    }
    let n_inputs = node.input.schema().fields().len();
    let input = keys.project(&node.input)?;
    let computed = LogicalPlan::Window(Window::try_new(exprs, Arc::new(input))?);
    // The keys stand behind the other columns of the input.
    let n_columns = computed.schema().fields().len();
    let columns = (0..n_inputs).chain(n_inputs + keys.exprs.len()..n_columns).collect::<Vec<_>>();
    renamed(computed, &columns, &node.schema)
}

/// The columns at `columns` of the plan, under the names of a schema.
fn renamed(plan: LogicalPlan, columns: &[usize], names: &DFSchema) -> Result<Transformed<LogicalPlan>> {
    let exprs = columns.iter().zip(names.iter()).map(|(&column, (qualifier, field))| {
        let column = Column::from(plan.schema().qualified_field(column));
        if column.relation.as_ref() == qualifier && column.name == *field.name() {
            return Expr::Column(column);
        }
        Expr::Column(column).alias_qualified(qualifier.cloned(), field.name())
    });
    let exprs = exprs.collect();
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(plan))?)))
}

/// The volatile keys of an operator.
#[derive(Default)]
struct Keys {
    exprs: Vec<Expr>,
}

impl Keys {
    fn columns(&mut self, exprs: &[Expr]) -> Vec<Expr> {
        exprs.iter().map(|expr| self.column(expr)).collect()
    }

    /// The column that stands for an expression: itself, unless it is volatile. The same expression has the same
    /// column.
    fn column(&mut self, expr: &Expr) -> Expr {
        if !expr.is_volatile() {
            return expr.clone();
        }
        let known = self.exprs.iter().position(|key| key == expr);
        let position = known.unwrap_or_else(|| {
            self.exprs.push(expr.clone());
            self.exprs.len() - 1
        });
        Expr::Column(Column::new_unqualified(name(position)))
    }

    /// The input with the keys as further columns.
    fn project(&self, input: &Arc<LogicalPlan>) -> Result<LogicalPlan> {
        let columns = input.schema().columns().into_iter().map(Expr::Column);
        let keys = self.exprs.iter().enumerate().map(|(position, key)| key.clone().alias(name(position)));
        Ok(LogicalPlan::Projection(Projection::try_new(columns.chain(keys).collect(), Arc::clone(input))?))
    }
}

fn name(position: usize) -> String {
    format!("__volatile_key_{position}")
}
