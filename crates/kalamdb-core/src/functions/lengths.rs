//! The functions that count or number the elements of an array give INTEGER, as in PostgreSQL, so that one may be
//! subtracted from another, and NULL for the dimensions of an empty array; DataFusion's are unsigned.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array};
use datafusion::arrow::compute::{cast, nullif};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::error::Result;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

const LENGTHS: [&str; 6] =
    ["array_dims", "array_length", "array_ndims", "array_position", "array_positions", "cardinality"];

/// Puts the signed functions in place of DataFusion's.
pub(super) fn wrap_all(builder: &mut SessionStateBuilder) {
    for function in builder.scalar_functions().get_or_insert_default() {
        if LENGTHS.contains(&function.name()) {
            *function = Arc::new(ScalarUDF::new_from_impl(Signed { function: Arc::clone(function) }));
        }
    }
}

/// Which arrays have no elements.
fn is_empty(arrays: &ArrayRef) -> BooleanArray {
    let of = |row: usize| match arrays.data_type() {
        _ if arrays.is_null(row) => false,
        DataType::List(_) => arrays.as_list::<i32>().value_length(row) == 0,
        DataType::LargeList(_) => arrays.as_list::<i64>().value_length(row) == 0,
        _ => false,
    };
    (0..arrays.len()).map(|row| Some(of(row))).collect()
}

/// Where to begin in each array: a position before its first element is that element, and one behind its last leads to
/// nothing. DataFusion refuses both.
fn within(arrays: &ArrayRef, starts: &ArrayRef) -> Result<ArrayRef> {
    let length = |row: usize| match arrays.data_type() {
        DataType::List(_) => i64::from(arrays.as_list::<i32>().value_length(row)),
        DataType::LargeList(_) => arrays.as_list::<i64>().value_length(row),
        _ => 0,
    };
    let starts = cast(starts, &DataType::Int64)?;
    let starts = starts.as_primitive::<Int64Type>();
    // NULL is no position: it is refused as 0 is.
    let start = |(row, start): (usize, Option<i64>)| start.map_or(0, |start| start.clamp(1, length(row) + 1));
    Ok(Arc::new(Int64Array::from_iter_values(starts.iter().enumerate().map(start))))
}

/// A function whose results become INTEGER, or arrays of INTEGER.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Signed {
    function: Arc<ScalarUDF>,
}

fn signed(data_type: &DataType) -> DataType {
    match data_type {
        DataType::UInt64 => DataType::Int32,
        DataType::List(element) => {
            DataType::List(Arc::new(Field::new(element.name(), signed(element.data_type()), element.is_nullable())))
        }
        other => other.clone(),
    }
}

impl ScalarUDFImpl for Signed {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn aliases(&self) -> &[String] {
        self.function.aliases()
    }

    fn signature(&self) -> &Signature {
        self.function.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        Ok(signed(&self.function.return_type(arg_types)?))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let field = self.function.return_field_from_args(args)?;
        Ok(Arc::new(field.as_ref().clone().with_data_type(signed(field.data_type()))))
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        self.function.coerce_types(arg_types)
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if let ("array_position", [arrays, _, start]) = (self.name(), args.args.as_mut_slice()) {
            let (arrays, starts) = (arrays.to_array(args.number_rows)?, start.to_array(args.number_rows)?);
            *start = ColumnarValue::Array(within(&arrays, &starts)?);
        }
        let arg_types = args.arg_fields.iter().map(|field| field.data_type().clone()).collect::<Vec<_>>();
        let unsigned = self.function.return_type(&arg_types)?;
        let wanted = args.return_field.data_type().clone();
        let return_field = Arc::new(args.return_field.as_ref().clone().with_data_type(unsigned));
        let has_dimensions = matches!(self.name(), "array_length" | "array_ndims");
        let empty = match args.args.first() {
            Some(array) if has_dimensions => Some(is_empty(&array.to_array(args.number_rows)?)),
            _ => None,
        };
        let lengths = match self.function.invoke_with_args(ScalarFunctionArgs { return_field, ..args })? {
            ColumnarValue::Array(values) => ColumnarValue::Array(cast(&values, &wanted)? as ArrayRef),
            ColumnarValue::Scalar(value) => ColumnarValue::Scalar(value.cast_to(&wanted)?),
        };
        match empty {
            Some(empty) if empty.true_count() > 0 => {
                Ok(ColumnarValue::Array(nullif(&lengths.into_array(empty.len())?, &empty)?))
            }
            _ => Ok(lengths),
        }
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.function.documentation()
    }
}
