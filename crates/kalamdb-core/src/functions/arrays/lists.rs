//! Arrays with NULLs among their elements, which DataFusion takes for values that are equal to each other: `ANY`,
//! `ALL`, what contains what, and the functions that look for an element.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::Operator;
use datafusion::logical_expr::type_coercion::binary::BinaryTypeCoercer;
use kalamdb_types::SqlType;

use crate::error::{Error, Result, into_datafusion};
use crate::functions::{field, no_such_function};

/// The type of the elements of arrays of any kind.
pub(super) fn element_type(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => Some(item.data_type()),
        _ => None,
    }
}

pub(crate) fn list_of(element: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(element, true)))
}

/// The type in which two are compared.
pub(super) fn common(left: &DataType, right: &DataType) -> Option<DataType> {
    if left == right {
        return Some(left.clone());
    }
    let (left, right) = BinaryTypeCoercer::new(left, &Operator::Eq, right).get_input_types().ok()?;
    (left == right).then_some(left)
}

/// What the functions return that ask a question.
pub(super) fn boolean(name: &str, _: &[FieldRef]) -> Result<Field> {
    Ok(field(name, SqlType::Boolean))
}

pub(crate) fn refused<T>(name: &str, args: &[DataType]) -> DataFusionResult<T> {
    let fields: Vec<FieldRef> = args.iter().map(|of| Arc::new(Field::new("", of.clone(), true))).collect();
    Err(into_datafusion(no_such_function(name, &fields)))
}

/// An array of arrays as a list, whatever kind it is.
pub(super) fn lists(array: &ArrayRef) -> Result<ListArray> {
    let list = match array.data_type() {
        DataType::List(_) => Arc::clone(array),
        other => match element_type(other) {
            Some(element) => cast(array, &list_of(element.clone()))?,
            None => return Err(Error::internal(format!("{other} is no array"))),
        },
    };
    Ok(list.as_list::<i32>().clone())
}

/// Where the elements of row `row` are among all elements.
pub(super) fn range(list: &ListArray, row: usize) -> std::ops::Range<usize> {
    let at = |row: usize| list.value_offsets().get(row).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0);
    at(row)..at(row + 1)
}
