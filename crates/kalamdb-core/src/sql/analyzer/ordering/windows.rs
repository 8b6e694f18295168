//! Windows are prepared before their frames get types, which DataFusion has for some types of ORDER BY only.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Sort, WindowFunctionParams};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::logical_plan::Window;
use datafusion::logical_expr::{
    Cast, Expr, ExprSchemable, LogicalPlan, WindowFrame, WindowFrameBound, WindowFrameUnits,
};

use super::apart::{by_rows, tells_rows_apart};
use super::key::{has_key, key};
use super::parts::computed;
use super::place::{has_place, place};
use super::stored::windows_end_plainly;
use crate::error::{Error, ErrorKind, into_datafusion};
use crate::sql::analyzer::any_node;

/// Makes every window of a plan one that parts and orders its rows by keys.
pub(crate) fn order_windows(plan: LogicalPlan) -> Result<LogicalPlan> {
    if !any_node(&plan, |node| Ok(matches!(node, LogicalPlan::Window(_))))? {
        return Ok(plan);
    }
    let ordered = plan.transform_up_with_subqueries(|node| {
        let LogicalPlan::Window(Window { input, window_expr, .. }) = node else { return Ok(Transformed::no(node)) };
        let names = NamePreserver::new_for_projection();
        let ends_plainly = windows_end_plainly(&window_expr, &input);
        let exprs = window_expr.into_iter().map(|expr| {
            let name = names.save(&expr);
            Ok(name.restore(expr.transform_up(|expr| function(expr, &input, ends_plainly))?.data))
        });
        let exprs = exprs.collect::<Result<Vec<_>>>()?;
        Ok(Transformed::yes(computed(Window::try_new(exprs, input)?)?))
    })?;
    Ok(ordered.data)
}

fn function(expr: Expr, input: &LogicalPlan, ends_plainly: bool) -> Result<Transformed<Expr>> {
    let Expr::WindowFunction(mut function) = expr else { return Ok(Transformed::no(expr)) };
    let WindowFunctionParams { partition_by, order_by, window_frame, .. } = &mut function.params;
    let type_of = |expr: &Expr| expr.get_type(input.schema()).unwrap_or(DataType::Null);
    if window_frame.units == WindowFrameUnits::Range {
        let exprs: Vec<&Expr> = partition_by.iter().chain(order_by.iter().map(|by| &by.expr)).collect();
        if !exprs.iter().any(|expr| has_key(&type_of(expr)))
            && tells_rows_apart(input, &exprs)
            && let Some(rows) = by_rows(window_frame)
        {
            *window_frame = rows;
        }
    }
    let keyed = |expr: &mut Expr| {
        if has_key(&type_of(expr)) {
            *expr = key(std::mem::replace(expr, Expr::Literal(ScalarValue::Null, None)));
        }
    };
    partition_by.iter_mut().for_each(keyed);
    if window_frame.units == WindowFrameUnits::Range {
        range(order_by, window_frame, &type_of)?;
    }
    let n_keyed = order_by.len().saturating_sub(usize::from(ends_plainly));
    for by in order_by.iter_mut().take(n_keyed) {
        let data_type = type_of(&by.expr);
        if has_place(&data_type) {
            by.expr = place(std::mem::replace(&mut by.expr, Expr::Literal(ScalarValue::Null, None)), &data_type);
        }
    }
    Ok(Transformed::yes(Expr::WindowFunction(function)))
}

/// Frames by value. Without distances one is as well told by peers, which every type has.
fn range(order_by: &mut [Sort], frame: &mut WindowFrame, type_of: &dyn Fn(&Expr) -> DataType) -> Result<()> {
    let Some(first) = order_by.first_mut() else { return Ok(()) };
    let data_type = type_of(&first.expr);
    let has_distance = [&frame.start_bound, &frame.end_bound].into_iter().any(|bound| distance(bound).is_some());
    match data_type {
        DataType::Time32(_) | DataType::Time64(_) if has_distance => {
            let micros = Expr::Cast(Cast::new(
                Box::new(first.expr.clone()),
                DataType::Time64(datafusion::arrow::datatypes::TimeUnit::Microsecond),
            ));
            first.expr = Expr::Cast(Cast::new(Box::new(micros), DataType::Int64));
            each_distance(frame, |interval| {
                Ok(ScalarValue::Int64(
                    Some(length_of(interval)? / 1000).map(|micros| i64::try_from(micros).unwrap_or(i64::MAX)),
                ))
            })
        }
        DataType::Interval(_) if has_distance => {
            each_distance(frame, |interval| Ok(ScalarValue::Decimal128(Some(length_of(interval)?), 38, 0)))
        }
        _ if has_distance && !is_ordered_by_distance(&data_type) => {
            let message = format!("RANGE with an offset is not for values of type {data_type}");
            Err(into_datafusion(Error::new(ErrorKind::DatatypeMismatch, message).with_hint("write ROWS or GROUPS")))
        }
        _ if has_distance || is_ordered_by_distance(&data_type) => Ok(()),
        _ => {
            frame.units = WindowFrameUnits::Groups;
            Ok(())
        }
    }
}

fn is_ordered_by_distance(data_type: &DataType) -> bool {
    data_type.is_numeric() || matches!(data_type, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..))
}

fn distance(bound: &WindowFrameBound) -> Option<&ScalarValue> {
    match bound {
        WindowFrameBound::Preceding(value) | WindowFrameBound::Following(value) if !value.is_null() => Some(value),
        _ => None,
    }
}

fn each_distance(frame: &mut WindowFrame, convert: impl Fn(&ScalarValue) -> Result<ScalarValue>) -> Result<()> {
    for bound in [&mut frame.start_bound, &mut frame.end_bound] {
        if let WindowFrameBound::Preceding(value) | WindowFrameBound::Following(value) = bound
            && !value.is_null()
        {
            *value = convert(value)?;
        }
    }
    Ok(())
}

/// The length of an interval in nanoseconds; it may be written as a text.
fn length_of(interval: &ScalarValue) -> Result<i128> {
    let interval = interval.cast_to(&DataType::Interval(datafusion::arrow::datatypes::IntervalUnit::MonthDayNano))?;
    match interval {
        ScalarValue::IntervalMonthDayNano(Some(interval)) => Ok(crate::functions::datetime::length(interval)),
        other => Err(into_datafusion(Error::new(ErrorKind::DatatypeMismatch, format!("{other} is no interval")))),
    }
}
