//! `array_remove` and `array_replace`: every element that is equal, NULL being equal to itself.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, ListArray, UInt32Array};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::{concat, take};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};

use super::lists::{common, element_type, list_of, lists, range, refused};
use crate::error::{Error, ErrorKind, Result};
use crate::functions::{array, coercing_function, no_such_function};

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![
        coercing_function(
            &["array_remove", "list_remove"],
            |name, args| coerce(name, args, 1),
            first_list,
            |args| changed(args, false),
        ),
        coercing_function(
            &["array_replace", "list_replace"],
            |name, args| coerce(name, args, 2),
            first_list,
            |args| changed(args, true),
        ),
    ]
}

/// The types of an array and of so many values that might be elements of it.
fn coerce(name: &str, args: &[DataType], n_values: usize) -> DataFusionResult<Vec<DataType>> {
    let Some((list, values)) = args.split_first().filter(|(_, values)| values.len() == n_values) else {
        return refused(name, args);
    };
    let element = match element_type(list) {
        Some(element) => Some(element.clone()),
        None if *list == DataType::Null => values.first().cloned(),
        None => None,
    };
    let all = values.iter().try_fold(element, |element, value| Some(common(&element?, value)));
    let Some(Some(element)) = all else { return refused(name, args) };
    Ok(std::iter::once(list_of(element.clone())).chain(values.iter().map(|_| element.clone())).collect())
}

fn first_list(name: &str, args: &[FieldRef]) -> Result<Field> {
    let list = args.first().ok_or_else(|| no_such_function(name, args))?;
    Ok(Field::new(name, list.data_type().clone(), true))
}

/// The arrays without what is found, or with another value in its place.
fn changed(args: &ScalarFunctionArgs, replaces: bool) -> Result<ArrayRef> {
    let list = lists(&array(args, 0)?)?;
    let wanted = array(args, 1)?;
    let values = list.values();
    let converter = RowConverter::new(vec![SortField::new(values.data_type().clone())])?;
    let (value_rows, wanted_rows) =
        (converter.convert_columns(&[Arc::clone(values)])?, converter.convert_columns(&[Arc::clone(&wanted)])?);
    // What takes the place comes behind the elements, one a row.
    let source: ArrayRef =
        if replaces { concat(&[values.as_ref(), array(args, 2)?.as_ref()])? } else { Arc::clone(values) };
    let mut kept: Vec<u32> = Vec::with_capacity(values.len());
    let mut lengths = Vec::with_capacity(list.len());
    for row in 0..list.len() {
        let before = kept.len();
        if list.is_valid(row) {
            for at in range(&list, row) {
                if value_rows.row(at) != wanted_rows.row(row) {
                    kept.push(position(at)?);
                } else if replaces {
                    kept.push(position(values.len() + row)?);
                }
            }
        }
        lengths.push(kept.len() - before);
    }
    let values = take(&source, &UInt32Array::from(kept), None)?;
    let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    Ok(Arc::new(ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), values, list.nulls().cloned())?))
}

fn position(at: usize) -> Result<u32> {
    u32::try_from(at).map_err(|_| Error::new(ErrorKind::ProgramLimitExceeded, "arrays have too many elements"))
}
