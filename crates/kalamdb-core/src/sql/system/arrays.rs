//! Columns of text, booleans and numbers for results that the engine makes.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{Field, Schema};

use crate::error::Result;

pub(crate) fn text<T: AsRef<str>>(
    name: &'static str,
    values: impl Iterator<Item = Option<T>>,
) -> (&'static str, ArrayRef) {
    (name, Arc::new(values.collect::<StringArray>()))
}

pub(crate) fn boolean(name: &'static str, values: impl Iterator<Item = Option<bool>>) -> (&'static str, ArrayRef) {
    (name, Arc::new(values.collect::<BooleanArray>()))
}

pub(crate) fn batch_of(columns: Vec<(&str, ArrayRef)>) -> Result<(Arc<Schema>, RecordBatch)> {
    let fields: Vec<Field> =
        columns.iter().map(|(name, values)| Field::new(*name, values.data_type().clone(), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns.into_iter().map(|(_, values)| values).collect())?;
    Ok((schema, batch))
}
