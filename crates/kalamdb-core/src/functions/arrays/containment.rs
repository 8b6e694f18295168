//! `@>`, `<@` and `&&` of arrays: NULL equals nothing, so an array with NULL in it is contained in none.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};

use super::lists::{boolean, common, element_type, list_of, lists, range, refused};
use crate::error::Result;
use crate::functions::{array, coercing_function};

/// `array_has_all(whole, part)`: the operator `@>`.
pub(super) fn has_all() -> Arc<ScalarUDF> {
    coercing_function(&["array_has_all", "list_has_all"], coerce, boolean, |args| has(args, true))
}

/// `array_has_any(a, b)`: the operator `&&`.
pub(super) fn has_any() -> Arc<ScalarUDF> {
    coercing_function(&["array_has_any", "list_has_any", "arrays_overlap"], coerce, boolean, |args| has(args, false))
}

fn coerce(name: &str, args: &[DataType]) -> DataFusionResult<Vec<DataType>> {
    let [left, right] = args else { return refused(name, args) };
    let element = match (innermost(left), innermost(right)) {
        (Some(left), Some(right)) => common(left, right),
        (Some(element), None) if *right == DataType::Null => Some(element.clone()),
        (None, Some(element)) if *left == DataType::Null => Some(element.clone()),
        _ => None,
    };
    let Some(element) = element else { return refused(name, args) };
    Ok([left, right].map(|of| with_element(of, &element)).to_vec())
}

/// The type of what is within all dimensions of an array.
fn innermost(data_type: &DataType) -> Option<&DataType> {
    let element = element_type(data_type)?;
    Some(innermost(element).unwrap_or(element))
}

fn with_element(of: &DataType, element: &DataType) -> DataType {
    list_of(match element_type(of) {
        Some(inner) if element_type(inner).is_some() => with_element(inner, element),
        _ => element.clone(),
    })
}

/// Elements of all dimensions, and where those of each row are; `None` for a row that is NULL.
struct Elements {
    values: ArrayRef,
    ranges: Vec<Option<std::ops::Range<usize>>>,
}

impl Elements {
    fn of(array: &ArrayRef) -> Result<Self> {
        let list = lists(array)?;
        let mut ranges: Vec<_> = (0..list.len()).map(|row| list.is_valid(row).then(|| range(&list, row))).collect();
        let mut values = Arc::clone(list.values());
        while element_type(values.data_type()).is_some() {
            let inner = lists(&values)?;
            let within =
                |outer: std::ops::Range<usize>| range(&inner, outer.start).start..range(&inner, outer.end).start;
            ranges = ranges.into_iter().map(|outer| outer.map(within)).collect();
            values = Arc::clone(inner.values());
        }
        Ok(Self { values, ranges })
    }
}

/// Whether all elements of the second array are in the first, or one.
fn has(args: &ScalarFunctionArgs, all: bool) -> Result<ArrayRef> {
    let (whole, part) = (Elements::of(&array(args, 0)?)?, Elements::of(&array(args, 1)?)?);
    if *whole.values.data_type() == DataType::Null || *part.values.data_type() == DataType::Null {
        // Elements that are all NULL equal nothing.
        let rows = whole.ranges.iter().zip(&part.ranges);
        let answers: BooleanArray = rows
            .map(|(whole, part)| whole.as_ref().zip(part.as_ref()).map(|(_, part)| all && part.is_empty()))
            .collect();
        return Ok(Arc::new(answers));
    }
    let converter = RowConverter::new(vec![SortField::new(whole.values.data_type().clone())])?;
    let whole_rows = converter.convert_columns(&[Arc::clone(&whole.values)])?;
    let part_rows = converter.convert_columns(&[Arc::clone(&part.values)])?;
    let rows = whole.ranges.into_iter().zip(part.ranges);
    let answers: BooleanArray = rows
        .map(|(in_whole, in_part)| {
            let (in_whole, in_part) = in_whole.zip(in_part)?;
            let known: HashSet<_> =
                in_whole.filter(|at| whole.values.is_valid(*at)).map(|at| whole_rows.row(at)).collect();
            let mut found = in_part.map(|at| part.values.is_valid(at) && known.contains(&part_rows.row(at)));
            Some(if all { found.all(|found| found) } else { found.any(|found| found) })
        })
        .collect();
    Ok(Arc::new(answers))
}
