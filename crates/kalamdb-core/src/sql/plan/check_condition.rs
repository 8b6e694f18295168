//! CHECK conditions: what they may hold, and how they become expressions that run on rows.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{DFSchema, TableReference};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{EmptyRelation, Expr, ExprSchemable, Filter, LogicalPlan};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::sql::planner::{PlannerContext, SqlToRel};

use super::query::{StatementContext, parser_options};
use crate::catalog::{Check, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::parse::{Refused, parse_expression, refuse_in_expressions};

/// The condition of a CHECK as an expression over a batch of the table's user columns.
///
/// # Errors
/// `invalid_table_definition` if it holds a subquery, a parameter or an aggregate, `datatype_mismatch` if it is not
/// boolean, those of planning.
pub(crate) fn compile(executor: &StatementContext<'_>, table: &Table, check: &Check) -> Result<Arc<dyn PhysicalExpr>> {
    let place = format!("CHECK {}: a condition", check.name);
    let mut condition = parse_expression(&check.condition)?;
    refuse_in_expressions(&condition, &place, &[Refused::Subqueries, Refused::Parameters])?;
    let scope = executor.scope();
    super::analysis::check_expression(&mut condition, &executor.namespace, &scope)?;
    let fields = Schema::new(table.fields.clone());
    let schema = DFSchema::try_from_qualified_schema(TableReference::bare(table.name.as_str()), &fields)?;
    let planned = SqlToRel::new_with_options(&scope, parser_options()).sql_to_expr(
        condition,
        &schema,
        &mut PlannerContext::new(),
    )?;
    if planned.exists(|expr| Ok(matches!(expr, Expr::AggregateFunction(_) | Expr::WindowFunction(_))))? {
        return Err(Refused::Aggregates.within(&place));
    }
    if planned.get_type(&schema)? != DataType::Boolean {
        return Err(Error::new(
            ErrorKind::DatatypeMismatch,
            format!("CHECK {}: the condition is not boolean", check.name),
        ));
    }
    Ok(executor.state().create_physical_expr(prepared(executor, planned, &schema)?, &schema)?)
}

/// The condition as it is in a WHERE, with the same meaning: the analyzer's rules apply to plans alone.
fn prepared(executor: &StatementContext<'_>, condition: Expr, schema: &DFSchema) -> Result<Expr> {
    let state = executor.state();
    let rows = EmptyRelation { produce_one_row: false, schema: Arc::new(schema.clone()) };
    let plan = LogicalPlan::Filter(Filter::try_new(condition, Arc::new(LogicalPlan::EmptyRelation(rows)))?);
    let LogicalPlan::Filter(filter) = state.analyzer().execute_and_check(plan, state.config_options(), |_, _| {})?
    else {
        return Err(Error::internal("a condition is no filter any more"));
    };
    let context = SimplifyContext::builder()
        .with_schema(Arc::new(schema.clone()))
        .with_config_options(Arc::clone(state.config_options()))
        .with_query_execution_start_time(state.execution_props().query_execution_start_time)
        .build();
    Ok(ExprSimplifier::new(context).simplify(filter.predicate)?)
}
