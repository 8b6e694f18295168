//! `greatest` and `least` of intervals and of arrays: DataFusion's compare the parts of intervals one after the other,
//! and take an array with NULL in it for one that compares with none.

use std::cmp::Ordering;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, make_comparator, new_null_array};
use datafusion::arrow::compute::{SortOptions, interleave};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{ScalarValue, internal_datafusion_err, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::key::keys;

/// Whether values of the type are those of the function here.
pub(super) fn is_kept_from_planner(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Interval(_)) || data_type.is_nested()
}

/// The function of that name, which has operands of one type.
pub(super) fn best(name: &str, args: Vec<Expr>) -> Expr {
    let best = Best { is_greatest: name == "greatest", signature: Signature::variadic_any(Volatility::Immutable) };
    Arc::new(ScalarUDF::new_from_impl(best)).call(args)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Best {
    is_greatest: bool,
    signature: Signature,
}

impl ScalarUDFImpl for Best {
    fn name(&self) -> &'static str {
        if self.is_greatest { "greatest" } else { "least" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        args.first().cloned().map_or_else(|| internal_err!("{} takes values", self.name()), Ok)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let first = args.arg_fields.first().ok_or_else(|| internal_datafusion_err!("{} takes values", self.name()))?;
        Ok(Arc::new(first.as_ref().clone().with_nullable(true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_scalar = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let n_rows = if is_scalar { 1 } else { args.number_rows };
        let columns = args.args.iter().map(|arg| arg.to_array(n_rows)).collect::<Result<Vec<_>>>()?;
        let best = self.best(&columns, args.return_field.data_type(), n_rows)?;
        Ok(if is_scalar {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&best, 0)?)
        } else {
            ColumnarValue::Array(best)
        })
    }
}

impl Best {
    /// For each row the first of its values that no other beats; NULL is no value, but an element of arrays, the
    /// greatest.
    fn best(&self, columns: &[ArrayRef], data_type: &DataType, n_rows: usize) -> Result<ArrayRef> {
        let mut best = new_null_array(data_type, n_rows);
        let wanted = if self.is_greatest { Ordering::Greater } else { Ordering::Less };
        for column in columns.iter().filter(|column| !column.data_type().is_null()) {
            let compare =
                make_comparator(&keys(column)?, &keys(&best)?, SortOptions { descending: false, nulls_first: false })?;
            let is_better = |row: usize| column.is_valid(row) && (best.is_null(row) || compare(row, row) == wanted);
            let choice: Vec<(usize, usize)> = (0..n_rows).map(|row| (usize::from(is_better(row)), row)).collect();
            best = interleave(&[best.as_ref(), column.as_ref()], &choice)?;
        }
        Ok(best)
    }
}
