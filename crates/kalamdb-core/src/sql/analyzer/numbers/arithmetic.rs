//! Arithmetic of integers and decimals that fails where the result does not fit, as the standard asks; DataFusion's own
//! wraps around, or gives a decimal of more digits than its type has.

use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::kernels::numeric::{add, mul, neg, sub};
use datafusion::arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, DecimalType};
use datafusion::arrow::error::ArrowError;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, DataFusionError, ScalarValue, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Cast, TryCast};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::type_coercion::binary::BinaryTypeCoercer;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::physical_expr_common::datum::apply;

use super::decimal_arithmetic::{divided, multiplied, product_type, quotient_type};
use super::{average, cast};
use crate::error::{Error, ErrorKind, into_datafusion};
use crate::functions::arrays;
use crate::sql::analyzer::{any_expression, rewrite};

/// Replaces operators and casts by functions that check. It comes after the operands have got their types.
#[derive(Debug)]
pub(crate) struct CheckedArithmetic {
    plus: Arc<ScalarUDF>,
    minus: Arc<ScalarUDF>,
    times: Arc<ScalarUDF>,
    divided: Arc<ScalarUDF>,
    negative: Arc<ScalarUDF>,
}

/// The function in place of an operator.
pub(super) fn checked(op: Operator) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Checked { op, signature: Signature::any(2, Volatility::Immutable) }))
}

impl CheckedArithmetic {
    pub(crate) fn new() -> Self {
        Self {
            plus: checked(Operator::Plus),
            minus: checked(Operator::Minus),
            times: checked(Operator::Multiply),
            divided: checked(Operator::Divide),
            negative: Arc::new(ScalarUDF::new_from_impl(CheckedNegative {
                signature: Signature::any(1, Volatility::Immutable),
            })),
        }
    }

    fn function(&self, op: Operator) -> Option<&Arc<ScalarUDF>> {
        match op {
            Operator::Plus => Some(&self.plus),
            Operator::Minus => Some(&self.minus),
            Operator::Multiply => Some(&self.times),
            Operator::Divide => Some(&self.divided),
            _ => None,
        }
    }

    fn node(&self, node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        let calculates = |expr: &Expr| match expr {
            Expr::BinaryExpr(BinaryExpr { op, .. }) => self.function(*op).is_some() || is_order(*op),
            Expr::Negative(_) | Expr::AggregateFunction(_) | Expr::WindowFunction(_) => true,
            Expr::Cast(Cast { field, .. }) | Expr::TryCast(TryCast { field, .. }) => {
                cast::is_checked(field.data_type())
            }
            _ => false,
        };
        if !any_expression(&node, |expr| expr.exists(|expr| Ok(calculates(expr))))? {
            return Ok(Transformed::no(node));
        }
        let schema = merge_schema(&node.inputs());
        rewrite(node, |expr| self.expr(expr, &schema))
    }

    fn expr(&self, expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
        let (left, op, right) = match &expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => (left, op, right),
            Expr::Negative(operand) if operand.get_type(schema).is_ok_and(|operand| operand.is_signed_integer()) => {
                return Ok(Transformed::yes(self.negative.call(vec![operand.as_ref().clone()])));
            }
            Expr::AggregateFunction(_) | Expr::WindowFunction(_) => return average::with_room(expr, schema),
            Expr::Cast(_) | Expr::TryCast(_) => return Ok(cast::of(expr, schema)),
            _ => return Ok(Transformed::no(expr)),
        };
        if is_order(*op) {
            let is_list = left.get_type(schema).is_ok_and(|data_type| matches!(data_type, DataType::List(_)));
            let same = is_list && left.get_type(schema).ok() == right.get_type(schema).ok();
            return Ok(if same {
                Transformed::yes(arrays::compare(*op).call(vec![left.as_ref().clone(), right.as_ref().clone()]))
            } else {
                Transformed::no(expr)
            });
        }
        let Some(function) = self.function(*op) else {
            return Ok(Transformed::no(expr));
        };
        // A type that is not known here is that of no integer.
        let (Ok(left_type), Ok(right_type)) = (left.get_type(schema), right.get_type(schema)) else {
            return Ok(Transformed::no(expr));
        };
        let is_checked = match (&left_type, &right_type) {
            (DataType::Decimal128(..), DataType::Decimal128(..)) => {
                // Narrower sums have room for every one.
                matches!(op, Operator::Multiply | Operator::Divide)
                    || matches!(
                        result_type(&left_type, *op, &right_type)?,
                        DataType::Decimal128(DECIMAL128_MAX_PRECISION, _)
                    )
            }
            _ => left_type.is_integer() && left_type == right_type && *op != Operator::Divide,
        };
        if !is_checked {
            return Ok(Transformed::no(expr));
        }
        Ok(Transformed::yes(function.call(vec![left.as_ref().clone(), right.as_ref().clone()])))
    }
}

/// The comparisons in which NULLs within arrays count as greater than values.
fn is_order(op: Operator) -> bool {
    matches!(op, Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq)
}

impl AnalyzerRule for CheckedArithmetic {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        Ok(plan.transform_up_with_subqueries(|node| self.node(node))?.data)
    }

    fn name(&self) -> &'static str {
        "checked_arithmetic"
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Checked {
    op: Operator,
    signature: Signature,
}

impl ScalarUDFImpl for Checked {
    fn name(&self) -> &str {
        match self.op {
            Operator::Plus => "plus",
            Operator::Minus => "minus",
            Operator::Divide => "divided",
            _ => "times",
        }
    }

    /// The operator's own text: columns without an alias are called by it.
    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        match args {
            [left, right] => Ok(format!("{} {} {}", left.schema_name(), self.op, right.schema_name())),
            _ => internal_err!("{} takes two arguments", self.op),
        }
    }

    fn display_name(&self, args: &[Expr]) -> Result<String> {
        match args {
            [left, right] => Ok(format!("{left} {} {right}", self.op)),
            _ => internal_err!("{} takes two arguments", self.op),
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        match args {
            [left, right] => result_type(left, self.op, right),
            _ => internal_err!("{} takes two arguments", self.op),
        }
    }

    fn simplify(&self, args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        // A NULL among decimals is of another type than the result.
        let is_null =
            |arg: &Expr| matches!(arg, Expr::Literal(value, _) if value.is_null() && value.data_type().is_integer());
        match args.iter().find(|arg| is_null(arg)) {
            Some(null) => Ok(ExprSimplifyResult::Simplified(null.clone())),
            None => Ok(ExprSimplifyResult::Original(args)),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = args.args.as_slice() else {
            return internal_err!("{} takes two arguments", self.op);
        };
        let to = args.return_field.data_type();
        let result = match self.op {
            Operator::Plus => in_range(apply(left, right, add), to),
            Operator::Minus => in_range(apply(left, right, sub), to),
            Operator::Divide => apply(left, right, |left, right| divided(left, right, to)),
            _ if to.is_decimal() => apply(left, right, |left, right| multiplied(left, right, to)),
            _ => in_range(apply(left, right, mul), to),
        }?;
        check_digits(&result)?;
        Ok(result)
    }
}

/// The negative of an integer, which the least one has not.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CheckedNegative {
    signature: Signature,
}

impl ScalarUDFImpl for CheckedNegative {
    fn name(&self) -> &'static str {
        "negative"
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        match args {
            [operand] => Ok(format!("(- {})", operand.schema_name())),
            _ => internal_err!("- takes one operand"),
        }
    }

    fn display_name(&self, args: &[Expr]) -> Result<String> {
        match args {
            [operand] => Ok(format!("(- {operand})")),
            _ => internal_err!("- takes one operand"),
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        match args {
            [operand] => Ok(operand.clone()),
            _ => internal_err!("- takes one operand"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(match args.args.as_slice() {
            [ColumnarValue::Array(array)] => {
                ColumnarValue::Array(in_range(neg(array).map_err(Into::into), array.data_type())?)
            }
            [ColumnarValue::Scalar(value)] => {
                ColumnarValue::Scalar(in_range(value.arithmetic_negate(), &value.data_type())?)
            }
            _ => return internal_err!("- takes one operand"),
        })
    }
}

/// An overflow as the error that names the type.
fn in_range<T>(result: Result<T>, of: &DataType) -> Result<T> {
    let name = match of {
        DataType::Int16 => "SMALLINT",
        DataType::Int32 => "INTEGER",
        DataType::Int64 => "BIGINT",
        _ => return result,
    };
    result.map_err(|error| match error {
        DataFusionError::ArrowError(inner, _) if matches!(*inner, ArrowError::ArithmeticOverflow(_)) => {
            let message = format!("the result is out of range for type {name}");
            into_datafusion(Error::new(ErrorKind::NumericValueOutOfRange, message))
        }
        other => other,
    })
}

fn result_type(left: &DataType, op: Operator, right: &DataType) -> Result<DataType> {
    Ok(match (left, op, right) {
        (left, _, _) if left.is_integer() => left.clone(),
        (&DataType::Decimal128(p1, s1), Operator::Multiply, &DataType::Decimal128(p2, s2)) => {
            product_type((p1, s1), (p2, s2))
        }
        (&DataType::Decimal128(p1, s1), Operator::Divide, &DataType::Decimal128(p2, s2)) => {
            quotient_type((p1, s1), (p2, s2))
        }
        _ => return BinaryTypeCoercer::new(left, &op, right).get_result_type(),
    })
}

/// Refuses decimals of more digits than their type has: 128 bits hold more than 38.
fn check_digits(result: &ColumnarValue) -> Result<()> {
    let fits = match result {
        ColumnarValue::Array(array) => match array.as_primitive_opt::<Decimal128Type>() {
            Some(decimals) => decimals.validate_decimal_precision(decimals.precision()),
            None => Ok(()),
        },
        ColumnarValue::Scalar(ScalarValue::Decimal128(Some(value), precision, scale)) => {
            Decimal128Type::validate_decimal_precision(*value, *precision, *scale)
        }
        ColumnarValue::Scalar(_) => Ok(()),
    };
    Ok(fits.map_err(|_| ArrowError::ArithmeticOverflow("a decimal has more than 38 digits".to_owned()))?)
}
