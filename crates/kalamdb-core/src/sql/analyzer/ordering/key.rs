//! The key by which a value is compared: equal for values that are equal, whatever their bits.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, FixedSizeListArray, Float16Array, Float32Array, Float64Array,
    GenericListArray, OffsetSizeTrait, StructArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Field, FieldRef, Float16Type, Float32Type, Float64Type, IntervalMonthDayNanoType, IntervalUnit,
};
use datafusion::common::{ScalarValue, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::functions::datetime::length;

/// The type of the lengths of intervals, in nanoseconds.
const LENGTH: DataType = DataType::Decimal128(38, 0);

/// Whether values of the type compare by another one.
pub(crate) fn has_key(data_type: &DataType) -> bool {
    match data_type {
        DataType::Interval(_) => true,
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            has_key(item.data_type())
        }
        DataType::Struct(fields) => fields.iter().any(|field| has_key(field.data_type())),
        other => other.is_floating(),
    }
}

/// What an expression of such a type compares by.
pub(crate) fn key(expr: Expr) -> Expr {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
        Arc::new(ScalarUDF::new_from_impl(Key { signature: Signature::any(1, Volatility::Immutable) }))
    });
    FUNCTION.call(vec![expr])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    signature: Signature,
}

impl ScalarUDFImpl for Key {
    fn name(&self) -> &'static str {
        "sort_key"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> Result<DataType> {
        match args {
            [data_type] => Ok(key_type(data_type)),
            _ => internal_err!("a key is that of one value"),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        match args.arg_fields {
            [field] => Ok(Arc::new(Field::new(self.name(), key_type(field.data_type()), field.is_nullable()))),
            _ => internal_err!("a key is that of one value"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.as_slice() {
            [ColumnarValue::Array(values)] => Ok(ColumnarValue::Array(keys(values)?)),
            [ColumnarValue::Scalar(value)] => {
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&keys(&value.to_array()?)?, 0)?))
            }
            _ => internal_err!("a key is that of one value"),
        }
    }
}

fn key_type(data_type: &DataType) -> DataType {
    let item_key = |item: &FieldRef| Arc::new(Field::new(item.name(), key_type(item.data_type()), item.is_nullable()));
    match data_type {
        _ if !has_key(data_type) => data_type.clone(),
        DataType::Interval(_) => LENGTH,
        DataType::List(item) => DataType::List(item_key(item)),
        DataType::LargeList(item) => DataType::LargeList(item_key(item)),
        DataType::FixedSizeList(item, n) => DataType::FixedSizeList(item_key(item), *n),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(item_key).collect()),
        other => other.clone(),
    }
}

pub(crate) fn keys(values: &ArrayRef) -> Result<ArrayRef> {
    if !has_key(values.data_type()) {
        return Ok(Arc::clone(values));
    }
    Ok(match values.data_type() {
        DataType::Float64 => {
            let keys: Float64Array =
                values.as_primitive::<Float64Type>().unary(|value| if value.is_nan() { f64::NAN } else { value + 0.0 });
            Arc::new(keys)
        }
        DataType::Float32 => {
            let keys: Float32Array =
                values.as_primitive::<Float32Type>().unary(|value| if value.is_nan() { f32::NAN } else { value + 0.0 });
            Arc::new(keys)
        }
        DataType::Float16 => {
            let zero = <Float16Type as datafusion::arrow::datatypes::ArrowPrimitiveType>::default_value();
            let keys: Float16Array =
                values.as_primitive::<Float16Type>().unary(|value| if value == zero { zero } else { value });
            Arc::new(keys)
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let lengths: Decimal128Array = values.as_primitive::<IntervalMonthDayNanoType>().unary(length);
            Arc::new(lengths.with_precision_and_scale(38, 0)?)
        }
        DataType::Interval(_) => return keys(&cast(values, &DataType::Interval(IntervalUnit::MonthDayNano))?),
        DataType::List(_) => keys_of_lists(values.as_list::<i32>(), values.data_type())?,
        DataType::LargeList(_) => keys_of_lists(values.as_list::<i64>(), values.data_type())?,
        DataType::FixedSizeList(..) => {
            let lists = values.as_fixed_size_list();
            let DataType::FixedSizeList(item, n) = key_type(values.data_type()) else {
                return internal_err!("a list has a key that is one");
            };
            Arc::new(FixedSizeListArray::try_new(item, n, keys(lists.values())?, lists.nulls().cloned())?)
        }
        DataType::Struct(_) => {
            let structs = values.as_struct();
            let DataType::Struct(fields) = key_type(values.data_type()) else {
                return internal_err!("a struct has a key that is one");
            };
            let columns = structs.columns().iter().map(keys).collect::<Result<Vec<_>>>()?;
            Arc::new(StructArray::try_new(fields, columns, structs.nulls().cloned())?)
        }
        other => return internal_err!("{other} has no key"),
    })
}

fn keys_of_lists<O: OffsetSizeTrait>(lists: &GenericListArray<O>, data_type: &DataType) -> Result<ArrayRef> {
    let (DataType::List(item) | DataType::LargeList(item)) = key_type(data_type) else {
        return internal_err!("a list has a key that is one");
    };
    Ok(Arc::new(GenericListArray::<O>::try_new(
        item,
        lists.offsets().clone(),
        keys(lists.values())?,
        lists.nulls().cloned(),
    )?))
}
