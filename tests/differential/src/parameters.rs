//! Parameters as the block that crosses from JavaScript.

use std::sync::Arc;

use kalamdb_core::datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, NullArray, RecordBatch, StringViewArray,
};
use kalamdb_core::datafusion::arrow::datatypes::{DataType, Field, Schema};
use kalamdb_core::{Error, ErrorKind};
use kalamdb_types::SqlType;
use kalamdb_types::wire::encode_block;

use crate::protocol::Parameter;

pub(crate) fn block(parameters: &[Parameter]) -> Result<Vec<u8>, Error> {
    let mut block = Vec::new();
    if parameters.is_empty() {
        return Ok(block);
    }
    let columns = parameters.iter().map(column).collect::<Result<Vec<_>, _>>()?;
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(|error| unreadable(&error))?;
    encode_block(&batch, &mut block);
    Ok(block)
}

fn column(parameter: &Parameter) -> Result<(Field, ArrayRef), Error> {
    let plain = |data_type, array: ArrayRef| (Field::new("", data_type, true), array);
    let text = |text: &String| Arc::new(StringViewArray::from_iter_values([text])) as ArrayRef;
    Ok(match parameter {
        Parameter::Null => plain(DataType::Null, Arc::new(NullArray::new(1))),
        Parameter::Bool(value) => plain(DataType::Boolean, Arc::new(BooleanArray::from(vec![*value]))),
        Parameter::Int(value) => plain(
            DataType::Int64,
            Arc::new(Int64Array::from(vec![value.parse::<i64>().map_err(|error| unreadable(&error))?])),
        ),
        Parameter::Float(value) => plain(
            DataType::Float64,
            Arc::new(Float64Array::from(vec![value.parse::<f64>().map_err(|error| unreadable(&error))?])),
        ),
        Parameter::Text(value) => plain(DataType::Utf8View, text(value)),
        Parameter::Json(value) => (SqlType::Json.field("", true), text(value)),
    })
}

fn unreadable(error: &dyn std::fmt::Display) -> Error {
    Error::new(ErrorKind::InternalError, format!("a parameter: {error}"))
}
