//! Puts bounds on what makes large values of small ones and is no call of a registered function: `||`, and functions
//! that the planner writes for operators and brackets.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::config::ConfigOptions;
use datafusion::common::internal_err;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::type_coercion::binary::BinaryTypeCoercer;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr as PhysicalBinary, Column};

use super::expressions::{any_expression, rewrite};
use crate::functions::{Limits, bounded};

/// Replaces operators and functions by such with bounds. It comes after the operands have got their types.
#[derive(Debug)]
pub(crate) struct BoundedCalls {
    limits: Arc<Limits>,
    concat: Arc<ScalarUDF>,
}

impl BoundedCalls {
    pub(crate) fn new(limits: &Arc<Limits>) -> Self {
        let concat = Arc::new(ScalarUDF::new_from_impl(Concat { signature: Signature::any(2, Volatility::Immutable) }));
        let concat = bounded(&concat, limits).unwrap_or(concat);
        Self { limits: Arc::clone(limits), concat }
    }

    fn node(&self, node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        if !any_expression(&node, |expr| expr.exists(|expr| Ok(self.needs_bounds(expr))))? {
            return Ok(Transformed::no(node));
        }
        let schema = merge_schema(&node.inputs());
        rewrite(node, |expr| match expr {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::StringConcat, right }) => {
                let is_list = |expr: &Expr| expr.get_type(&schema).is_ok_and(|data_type| data_type.is_nested());
                if is_list(&left) || is_list(&right) {
                    return Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr {
                        left,
                        op: Operator::StringConcat,
                        right,
                    })));
                }
                Ok(Transformed::yes(self.concat.call(vec![*left, *right])))
            }
            Expr::ScalarFunction(ScalarFunction { func, args }) => Ok(match bounded(&func, &self.limits) {
                Some(func) => Transformed::yes(Expr::ScalarFunction(ScalarFunction { func, args })),
                None => Transformed::no(Expr::ScalarFunction(ScalarFunction { func, args })),
            }),
            other => Ok(Transformed::no(other)),
        })
    }

    fn needs_bounds(&self, expr: &Expr) -> bool {
        match expr {
            Expr::BinaryExpr(BinaryExpr { op, .. }) => *op == Operator::StringConcat,
            Expr::ScalarFunction(ScalarFunction { func, .. }) => bounded(func, &self.limits).is_some(),
            _ => false,
        }
    }
}

impl AnalyzerRule for BoundedCalls {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        Ok(plan.transform_up_with_subqueries(|node| self.node(node)?.map_data(LogicalPlan::recompute_schema))?.data)
    }

    fn name(&self) -> &'static str {
        "bounded_calls"
    }
}

/// `left || right` of two texts.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Concat {
    signature: Signature,
}

impl ScalarUDFImpl for Concat {
    fn name(&self) -> &'static str {
        "||"
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        match args {
            [left, right] => Ok(format!("{} || {}", left.schema_name(), right.schema_name())),
            _ => internal_err!("|| takes two arguments"),
        }
    }

    fn display_name(&self, args: &[Expr]) -> Result<String> {
        match args {
            [left, right] => Ok(format!("{left} || {right}")),
            _ => internal_err!("|| takes two arguments"),
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        match args {
            [left, right] => BinaryTypeCoercer::new(left, &Operator::StringConcat, right).get_result_type(),
            _ => internal_err!("|| takes two arguments"),
        }
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let are_scalars = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let n_rows = if are_scalars { 1 } else { args.number_rows };
        let columns = args.args.into_iter().map(|arg| arg.into_array(n_rows)).collect::<Result<Vec<_>>>()?;
        let fields: Vec<Field> = columns
            .iter()
            .zip(["left", "right"])
            .map(|(column, name)| Field::new(name, column.data_type().clone(), true))
            .collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
        let operator = PhysicalBinary::new(
            Arc::new(Column::new("left", 0)),
            Operator::StringConcat,
            Arc::new(Column::new("right", 1)),
        );
        let result = operator.evaluate(&batch)?;
        if !are_scalars {
            return Ok(result);
        }
        let array = result.into_array(n_rows)?;
        Ok(ColumnarValue::Scalar(datafusion::common::ScalarValue::try_from_array(&array, 0)?))
    }
}
