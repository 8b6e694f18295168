//! Floats that sort as they are: of stored ones only the two zeros are equal and differ, as one NaN stands for all.
//! What comes last in an order may put rows that are equal in any order.

use datafusion::logical_expr::expr::{Sort, WindowFunctionParams};
use datafusion::logical_expr::{Expr, ExprSchemable, JoinType, LogicalPlan, WindowFrameUnits};

/// The functions over windows that look at neither frames nor peers.
const BY_ROWS: [&str; 4] = ["lag", "lead", "ntile", "row_number"];

/// Whether the last expression of an order needs no key.
pub(super) fn ends_plainly(order: &[Sort], input: &LogicalPlan) -> bool {
    let Some(Sort { expr: Expr::Column(column), .. }) = order.last() else { return false };
    let is_float = Expr::Column(column.clone()).get_type(input.schema()).is_ok_and(|data_type| data_type.is_floating());
    is_float && input.schema().maybe_index_of_column(column).is_some_and(|at| is_stored(input, at))
}

/// Whether all of the functions over one window leave rows that are equal in the last expression of its order in any
/// order.
pub(super) fn windows_end_plainly(functions: &[Expr], input: &LogicalPlan) -> bool {
    functions.iter().all(|function| {
        let Expr::WindowFunction(function) = function.clone().unalias() else { return false };
        let WindowFunctionParams { partition_by, order_by, window_frame, .. } = &function.params;
        let is_by_rows = window_frame.units == WindowFrameUnits::Rows || BY_ROWS.contains(&function.fun.name());
        is_by_rows
            && ends_plainly(order_by, input)
            && order_by.last().is_some_and(|last| !partition_by.contains(&last.expr))
    })
}

/// Whether a column of the rows is one of a table.
fn is_stored(plan: &LogicalPlan, at: usize) -> bool {
    match plan {
        LogicalPlan::TableScan(_) => true,
        LogicalPlan::Projection(projection) => match projection.expr.get(at).map(|expr| expr.clone().unalias()) {
            Some(Expr::Column(column)) => projection
                .input
                .schema()
                .maybe_index_of_column(&column)
                .is_some_and(|at| is_stored(&projection.input, at)),
            _ => false,
        },
        LogicalPlan::Window(window) => at < window.input.schema().fields().len() && is_stored(&window.input, at),
        LogicalPlan::Join(join)
            if matches!(join.join_type, JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full) =>
        {
            match at.checked_sub(join.left.schema().fields().len()) {
                Some(at) => is_stored(&join.right, at),
                None => is_stored(&join.left, at),
            }
        }
        LogicalPlan::Filter(_) | LogicalPlan::Limit(_) | LogicalPlan::Sort(_) | LogicalPlan::SubqueryAlias(_) => {
            plan.inputs().first().is_some_and(|input| is_stored(input, at))
        }
        _ => false,
    }
}
