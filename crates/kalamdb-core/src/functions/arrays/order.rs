//! The order of arrays: element by element, NULL after every value and equal to itself, as in PostgreSQL.

use std::cmp::Ordering;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, make_comparator};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, Expr, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::{Error, Result, into_datafusion};
use crate::functions::array;

/// NULL is greater than every value.
const ORDER: SortOptions = SortOptions { descending: false, nulls_first: false };

/// A comparison of two arrays of one type.
pub(crate) fn compare(op: Operator) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Comparison { op, signature: Signature::any(2, Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Comparison {
    op: Operator,
    signature: Signature,
}

impl ScalarUDFImpl for Comparison {
    fn name(&self) -> &'static str {
        "compare_arrays"
    }

    fn display_name(&self, args: &[Expr]) -> DataFusionResult<String> {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        Ok(args.join(&format!(" {} ", self.op)))
    }

    fn schema_name(&self, args: &[Expr]) -> DataFusionResult<String> {
        let args: Vec<String> = args.iter().map(|arg| arg.schema_name().to_string()).collect();
        Ok(args.join(&format!(" {} ", self.op)))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let compared = || nested(&self.op.to_string(), &array(&args, 0)?, &array(&args, 1)?);
        compared().map(|values| ColumnarValue::Array(Arc::new(values))).map_err(into_datafusion)
    }
}

pub(super) fn nested(op: &str, left: &ArrayRef, right: &ArrayRef) -> Result<BooleanArray> {
    let holds: fn(Ordering) -> bool = match op {
        "=" => Ordering::is_eq,
        "<>" | "!=" => Ordering::is_ne,
        "<" => Ordering::is_lt,
        "<=" => Ordering::is_le,
        ">" => Ordering::is_gt,
        ">=" => Ordering::is_ge,
        other => return Err(Error::unsupported(format!("the operator {other} of arrays"))),
    };
    let compare = make_comparator(left, right, ORDER)?;
    let either_is_null = |row: usize| left.is_null(row) || right.is_null(row);
    Ok((0..left.len()).map(|row| (!either_is_null(row)).then(|| holds(compare(row, row)))).collect())
}
