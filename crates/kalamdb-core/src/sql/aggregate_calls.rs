//! What is to be known of a call of an aggregate or window function before it is planned.

use datafusion::common::ScalarValue;
use datafusion::common::plan_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawAggregateExpr, RawWindowExpr};
use datafusion::logical_expr::{AggregateUDF, WindowFrameBound};

use crate::error::{Error, ErrorKind, into_datafusion};

/// The aggregates whose result depends on the order of their input.
const ORDERED: [&str; 10] = [
    "array_agg",
    "string_agg",
    "first_value",
    "last_value",
    "nth_value",
    "any_value",
    "json_agg",
    "jsonb_agg",
    "json_object_agg",
    "jsonb_object_agg",
];

/// Functions over a window that take a value.
const OF_A_VALUE: [&str; 5] = ["first_value", "last_value", "nth_value", "lag", "lead"];

/// No frame has more rows: farther ones are as far away.
const MAX_ROWS: u64 = i32::MAX as u64;

/// Leaves out orders that mean nothing, and refuses calls that the functions do not expect.
#[derive(Debug)]
pub(super) struct AggregateCalls;

impl ExprPlanner for AggregateCalls {
    fn plan_aggregate(&self, mut call: RawAggregateExpr) -> Result<PlannerResult<RawAggregateExpr>> {
        if !call.order_by.is_empty() && !depends_on_order(&call.func) {
            if call.distinct && call.order_by.iter().any(|sort| !call.args.contains(&sort.expr)) {
                return Err(plan_datafusion_err!("in an aggregate with DISTINCT, ORDER BY must name its arguments"));
            }
            // The function would get the values to order by as arguments, which it does not expect.
            call.order_by.clear();
        }
        Ok(PlannerResult::Original(call))
    }

    fn plan_window(&self, mut call: RawWindowExpr) -> Result<PlannerResult<RawWindowExpr>> {
        let name = call.func_def.name();
        if call.args.is_empty() && OF_A_VALUE.contains(&name) {
            let message = format!("function {name}() does not exist");
            return Err(into_datafusion(Error::new(ErrorKind::UndefinedFunction, message).with_hint("give it a value")));
        }
        bound(&mut call.window_frame.start_bound);
        bound(&mut call.window_frame.end_bound);
        Ok(PlannerResult::Original(call))
    }
}

fn depends_on_order(function: &AggregateUDF) -> bool {
    ORDERED.contains(&function.name()) || function.supports_within_group_clause()
}

fn bound(bound: &mut WindowFrameBound) {
    let (WindowFrameBound::Preceding(ScalarValue::UInt64(Some(n))) | WindowFrameBound::Following(ScalarValue::UInt64(Some(n)))) = bound else {
        return;
    };
    *n = (*n).min(MAX_ROWS);
}
