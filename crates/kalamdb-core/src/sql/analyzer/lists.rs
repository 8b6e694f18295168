//! Items of an IN list that are different for each row.
//!
//! DataFusion tries each item on no rows, and takes what gives one value even then for a constant: CASE does, whichever
//! of its branches comes first.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::internal_err;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion::optimizer::AnalyzerRule;

use super::expressions::{any_expression, rewrite};

/// Puts such items into a function that gives an array for any number of rows.
#[derive(Debug)]
pub(crate) struct ListsByRow {
    by_row: Arc<ScalarUDF>,
}

impl ListsByRow {
    pub(crate) fn new() -> Self {
        Self {
            by_row: Arc::new(ScalarUDF::new_from_impl(ByRow { signature: Signature::any(1, Volatility::Immutable) })),
        }
    }

    fn node(&self, node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        let has_items =
            |expr: &Expr| Ok(matches!(expr, Expr::InList(InList { list, .. }) if list.iter().any(is_by_row)));
        if !any_expression(&node, |expr| expr.exists(has_items))? {
            return Ok(Transformed::no(node));
        }
        rewrite(node, |expr| match expr {
            Expr::InList(InList { expr, list, negated }) => {
                let list = list
                    .into_iter()
                    .map(|item| if is_by_row(&item) { self.by_row.call(vec![item]) } else { item })
                    .collect();
                Ok(Transformed::yes(Expr::InList(InList { expr, list, negated })))
            }
            other => Ok(Transformed::no(other)),
        })
    }
}

impl AnalyzerRule for ListsByRow {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|node| self.node(node)).data()
    }

    fn name(&self) -> &'static str {
        "lists_by_row"
    }
}

fn is_by_row(item: &Expr) -> bool {
    !matches!(item, Expr::Column(_)) && (item.is_volatile() || item.any_column_refs() || item.contains_outer())
}

/// Its argument.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ByRow {
    signature: Signature,
}

impl ScalarUDFImpl for ByRow {
    fn name(&self) -> &'static str {
        "by_row"
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        args.first().map_or_else(no_argument, |item| Ok(item.schema_name().to_string()))
    }

    fn display_name(&self, args: &[Expr]) -> Result<String> {
        args.first().map_or_else(no_argument, |item| Ok(item.to_string()))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        args.first().cloned().map_or_else(no_argument, Ok)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        args.arg_fields.first().cloned().map_or_else(no_argument, Ok)
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let n_rows = args.number_rows;
        let item = args.args.into_iter().next().map_or_else(no_argument, Ok)?;
        Ok(ColumnarValue::Array(item.into_array(n_rows)?))
    }
}

fn no_argument<T>() -> Result<T> {
    internal_err!("an item of a list is a value")
}
