//! Numbers in a plan that are taken as sizes, and constants that are large themselves.

use datafusion::common::ScalarValue;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::expr::{AggregateFunction, WindowFunction};
use datafusion::logical_expr::{Expr, LogicalPlan};

use crate::error::{Error, ErrorKind, Result, into_datafusion};

/// The farthest row that a function looks at: no result has more rows.
const MAX_ROW: i64 = i32::MAX as i64;

/// The most centroids that an approximate percentile keeps.
const MAX_CENTROIDS: i64 = 10_000;

/// How many bytes a constant may take in all rows of a batch.
const BATCH_BYTES: usize = 16 << 20;

/// Refuses numbers that functions would take for sizes of what they build. Gives how many rows a batch should have at
/// most, if that are fewer than usual, as each row may hold a copy of the largest constant.
pub(crate) fn check(plan: &LogicalPlan) -> Result<Option<usize>> {
    let mut largest = 0;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            datafusion::common::tree_node::TreeNode::apply(expr, |expr| {
                match expr {
                    Expr::Literal(value, _) => largest = largest.max(size(value)),
                    Expr::AggregateFunction(call) => check_aggregate(call)?,
                    Expr::WindowFunction(call) => check_window(call)?,
                    _ => {}
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok((largest > BATCH_BYTES / 8192).then(|| (BATCH_BYTES / largest).max(1)))
}

fn size(value: &ScalarValue) -> usize {
    match value {
        ScalarValue::Utf8(Some(text)) | ScalarValue::LargeUtf8(Some(text)) | ScalarValue::Utf8View(Some(text)) => {
            text.len()
        }
        ScalarValue::Binary(Some(bytes))
        | ScalarValue::LargeBinary(Some(bytes))
        | ScalarValue::BinaryView(Some(bytes)) => bytes.len(),
        ScalarValue::List(_)
        | ScalarValue::LargeList(_)
        | ScalarValue::FixedSizeList(_)
        | ScalarValue::Struct(_)
        | ScalarValue::Map(_) => value.size(),
        _ => 0,
    }
}

fn check_aggregate(call: &AggregateFunction) -> DataFusionResult<()> {
    let args = &call.params.args;
    match call.func.name() {
        "nth_value" => check_row("nth_value", args.get(1)),
        "approx_percentile_cont" => check_centroids(args.get(2)),
        "approx_percentile_cont_with_weight" => check_centroids(args.get(3)),
        _ => Ok(()),
    }
}

fn check_window(call: &WindowFunction) -> DataFusionResult<()> {
    match call.fun.name() {
        "nth_value" => match call.params.args.get(1).and_then(integer) {
            Some(n) if n < 1 => refuse("nth_value counts from 1".to_owned()),
            _ => check_row("nth_value", call.params.args.get(1)),
        },
        "approx_percentile_cont" => check_centroids(call.params.args.get(2)),
        "approx_percentile_cont_with_weight" => check_centroids(call.params.args.get(3)),
        _ => Ok(()),
    }
}

fn check_row(name: &str, arg: Option<&Expr>) -> DataFusionResult<()> {
    match arg.and_then(integer) {
        Some(n) if !(-MAX_ROW..=MAX_ROW).contains(&n) => {
            refuse(format!("{n} is out of range for {name}: it takes up to {MAX_ROW}"))
        }
        Some(0) if name == "nth_value" => refuse("nth_value counts from 1".to_owned()),
        _ => Ok(()),
    }
}

fn check_centroids(arg: Option<&Expr>) -> DataFusionResult<()> {
    match arg.and_then(integer) {
        Some(n) if !(1..=MAX_CENTROIDS).contains(&n) => {
            refuse(format!("{n} centroids are out of range: there are 1 to {MAX_CENTROIDS}"))
        }
        _ => Ok(()),
    }
}

fn refuse(message: String) -> DataFusionResult<()> {
    Err(into_datafusion(Error::new(ErrorKind::InvalidParameterValue, message)))
}

fn integer(expr: &Expr) -> Option<i64> {
    let Expr::Literal(value, _) = expr else { return None };
    match value {
        ScalarValue::UInt64(Some(n)) => Some(i64::try_from(*n).unwrap_or(i64::MAX)),
        ScalarValue::Int64(Some(n)) => Some(*n),
        value if value.data_type().is_integer() => {
            match value.cast_to(&datafusion::arrow::datatypes::DataType::Int64) {
                Ok(ScalarValue::Int64(n)) => n,
                _ => None,
            }
        }
        _ => None,
    }
}
