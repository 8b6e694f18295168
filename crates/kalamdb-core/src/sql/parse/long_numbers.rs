//! Numbers of more digits than a float keeps: `long_number('12345678901234567.89')` carries them to where they may be
//! needed.

use std::ops::ControlFlow;
use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{ScalarValue, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr as LogicalExpr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType as SqlDataType, ExactNumberInfo, Expr, Ident, UnaryOperator, Value,
    visit_expressions,
};
use kalamdb_types::SqlType;

use super::calls::call;

const NAME: &str = "long_number";

/// So many digits are the same after they were a float.
const FLOAT_DIGITS: usize = 15;

/// Turns a number that a float cannot hold as it is written into a call.
pub(crate) fn rewrite(expr: &mut Expr) {
    let (text, is_integer) = match &*expr {
        Expr::Value(value) => match &value.value {
            Value::Number(text, false) => (text.clone(), text.parse::<u64>().is_ok()),
            _ => return,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr: operand } => match operand.as_ref() {
            Expr::Value(value) => match &value.value {
                Value::Number(text, false) => {
                    let text = format!("-{text}");
                    let is_integer = text.parse::<i64>().is_ok();
                    (text, is_integer)
                }
                _ => return,
            },
            _ => return,
        },
        _ => return,
    };
    let mantissa = text.split_once(['e', 'E']).map_or(text.as_str(), |(mantissa, _)| mantissa);
    let is_long = mantissa.bytes().filter(u8::is_ascii_digit).count() > FLOAT_DIGITS;
    if is_long && !is_integer && text.parse::<f64>().is_ok() {
        *expr = call(Ident::new(NAME), vec![Expr::value(Value::SingleQuotedString(text))]);
    }
}

/// The value of an assignment to a decimal or an integer: it is taken as it is written, with all its digits, where some
/// of its numbers have many or, for an integer, a fraction.
pub(crate) fn assigned(value: &Expr, to: &SqlType) -> Expr {
    let (data_type, is_exact): (SqlDataType, fn(&Expr) -> bool) = match *to {
        SqlType::Decimal(precision, scale) => {
            (SqlDataType::Decimal(ExactNumberInfo::PrecisionAndScale(precision.into(), scale.into())), is_long)
        }
        SqlType::SmallInt if is_arithmetic(value) => (SqlDataType::SmallInt(None), has_fraction),
        SqlType::Integer if is_arithmetic(value) => (SqlDataType::Integer(None), has_fraction),
        SqlType::BigInt if is_arithmetic(value) => (SqlDataType::BigInt(None), has_fraction),
        _ => return value.clone(),
    };
    let mut has_exact = false;
    let _ = visit_expressions(value, |expr| {
        has_exact |= is_exact(expr);
        ControlFlow::<()>::Continue(())
    });
    if !has_exact {
        return value.clone();
    }
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(Expr::Nested(Box::new(value.clone()))),
        data_type,
        array: false,
        format: None,
    }
}

fn is_long(expr: &Expr) -> bool {
    let mut copy = expr.clone();
    rewrite(&mut copy);
    copy != *expr
}

fn has_fraction(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if matches!(&value.value, Value::Number(text, _) if text.contains('.')))
}

/// Whether it is a number as it is written, or computed by an operator that makes numbers of numbers alone.
fn is_arithmetic(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => matches!(value.value, Value::Number(..)),
        Expr::Nested(expr) | Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } => {
            is_arithmetic(expr)
        }
        Expr::BinaryOp { left, op, right } => {
            use BinaryOperator::{Divide, Minus, Modulo, Multiply, Plus};
            matches!(op, Plus | Minus | Multiply | Divide | Modulo) && (is_arithmetic(left) || is_arithmetic(right))
        }
        _ => false,
    }
}

pub(crate) fn is_call(function: &ScalarFunction) -> bool {
    function.func.name() == NAME
}

/// The number as it is written.
pub(crate) fn value(function: &ScalarFunction) -> Option<ScalarValue> {
    match function.args.as_slice() {
        [LogicalExpr::Literal(ScalarValue::Utf8(text) | ScalarValue::Utf8View(text), _)] => {
            Some(ScalarValue::Utf8(text.clone()))
        }
        _ => None,
    }
}

/// The function, which a session has.
pub(crate) fn function() -> Arc<ScalarUDF> {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
        Arc::new(ScalarUDF::new_from_impl(LongNumber { signature: Signature::any(1, Volatility::Immutable) }))
    });
    Arc::clone(&FUNCTION)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct LongNumber {
    signature: Signature,
}

impl ScalarUDFImpl for LongNumber {
    fn name(&self) -> &str {
        NAME
    }

    /// As the float would be called.
    fn schema_name(&self, args: &[LogicalExpr]) -> Result<String> {
        Ok(match args {
            [LogicalExpr::Literal(value, _)] => {
                format!(
                    "Float64({})",
                    value.try_as_str().flatten().and_then(|text| text.parse::<f64>().ok()).unwrap_or(f64::NAN)
                )
            }
            _ => NAME.to_owned(),
        })
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.as_slice() {
            [ColumnarValue::Scalar(text)] => {
                let value = text.try_as_str().flatten().and_then(|text| text.parse::<f64>().ok());
                Ok(ColumnarValue::Scalar(ScalarValue::Float64(value)))
            }
            _ => internal_err!("{NAME} takes a text"),
        }
    }
}
