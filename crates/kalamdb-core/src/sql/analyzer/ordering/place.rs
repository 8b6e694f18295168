//! The place of a value in an order, where its key would not do: bytes in which NULL is the greatest of elements.
//! NULLS FIRST and NULLS LAST are about values, and DataFusion's sort applies them to elements too.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, BinaryArray};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::{ScalarValue, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::key::{has_key, key, keys};

/// Whether values of the type are ordered by something else than themselves.
pub(super) fn has_place(data_type: &DataType) -> bool {
    has_key(data_type) || has_elements(data_type)
}

/// What an expression of such a type is ordered by.
pub(super) fn place(expr: Expr, data_type: &DataType) -> Expr {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
        Arc::new(ScalarUDF::new_from_impl(Place { signature: Signature::any(1, Volatility::Immutable) }))
    });
    if has_elements(data_type) { FUNCTION.call(vec![expr]) } else { key(expr) }
}

fn has_elements(data_type: &DataType) -> bool {
    let is_nested = matches!(
        data_type,
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) | DataType::Struct(_)
    );
    is_nested && RowConverter::supports_fields(&[field_of(data_type)])
}

fn field_of(data_type: &DataType) -> SortField {
    SortField::new_with_options(data_type.clone(), SortOptions { descending: false, nulls_first: false })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Place {
    signature: Signature,
}

impl ScalarUDFImpl for Place {
    fn name(&self) -> &'static str {
        "sort_place"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let is_nullable = args.arg_fields.first().is_none_or(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), DataType::Binary, is_nullable)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.as_slice() {
            [ColumnarValue::Array(values)] => Ok(ColumnarValue::Array(places(values)?)),
            [ColumnarValue::Scalar(value)] => {
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&places(&value.to_array()?)?, 0)?))
            }
            _ => internal_err!("a place is that of one value"),
        }
    }
}

fn places(values: &ArrayRef) -> Result<ArrayRef> {
    let keys = keys(values)?;
    let rows = RowConverter::new(vec![field_of(keys.data_type())])?.convert_columns(&[keys])?;
    let (offsets, bytes, _) = rows.try_into_binary()?.into_parts();
    Ok(Arc::new(BinaryArray::try_new(offsets, bytes, values.logical_nulls())?))
}
