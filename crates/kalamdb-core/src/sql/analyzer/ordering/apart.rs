//! Orders in which no two rows are peers: then a frame by value is one by rows, which costs half.

use datafusion::common::ScalarValue;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr, LogicalPlan, WindowFrame, WindowFrameBound, WindowFrameUnits};

use crate::tables::TableRows;

/// Whether rows of `input` that agree in all of the expressions are one row: the columns of a table's primary key are
/// among them.
pub(super) fn tells_rows_apart(input: &LogicalPlan, exprs: &[&Expr]) -> bool {
    let is_among =
        |name: &String| exprs.iter().any(|expr| matches!(expr, Expr::Column(column) if column.name == *name));
    key_of(input).is_some_and(|key| key.iter().all(is_among))
}

/// The primary key of the table whose rows these are, each once at most.
fn key_of(input: &LogicalPlan) -> Option<Vec<String>> {
    match input {
        LogicalPlan::TableScan(scan) => {
            let provider = source_as_provider(&scan.source).ok()?;
            (provider.as_ref() as &dyn std::any::Any).downcast_ref::<TableRows>()?.key()
        }
        LogicalPlan::Filter(filter) => key_of(&filter.input),
        LogicalPlan::SubqueryAlias(alias) => key_of(&alias.input),
        LogicalPlan::Window(window) => key_of(&window.input),
        _ => None,
    }
}

/// The frame by rows, for an order in which no two rows are peers; `None` if it has a distance.
pub(super) fn by_rows(frame: &WindowFrame) -> Option<WindowFrame> {
    let bound = |bound: &WindowFrameBound| match bound {
        WindowFrameBound::Preceding(value) if value.is_null() => {
            Some(WindowFrameBound::Preceding(ScalarValue::UInt64(None)))
        }
        WindowFrameBound::Following(value) if value.is_null() => {
            Some(WindowFrameBound::Following(ScalarValue::UInt64(None)))
        }
        WindowFrameBound::CurrentRow => Some(WindowFrameBound::CurrentRow),
        _ => None,
    };
    Some(WindowFrame::new_bounds(WindowFrameUnits::Rows, bound(&frame.start_bound)?, bound(&frame.end_bound)?))
}
