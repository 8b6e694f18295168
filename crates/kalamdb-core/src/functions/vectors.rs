//! Distances between vectors: EMBEDDING columns, arrays of numbers, and texts like `[1,2,3]`.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF};
use kalamdb_types::SqlType;

use super::scalar::{Texts, field, function, is_text, no_such_function};
use crate::error::{Error, ErrorKind, Result};

/// The functions of this module.
pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![
        function(&["cosine_distance"], returns, |args| invoke(args, cosine_distance)),
        function(&["l2_distance"], returns, |args| invoke(args, l2_distance)),
        function(&["inner_product"], returns, |args| invoke(args, inner_product)),
    ]
}

fn returns(name: &str, args: &[FieldRef]) -> Result<Field> {
    let is_vector = |arg: &FieldRef| match arg.data_type() {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            item.data_type().is_numeric() || *item.data_type() == DataType::Null
        }
        other => is_text(other),
    };
    match args {
        [left, right] if is_vector(left) && is_vector(right) => Ok(field(name, SqlType::Double)),
        _ => Err(no_such_function(name, args)),
    }
}

/// 1 less the cosine of the angle; NaN where a vector is 0.
fn cosine_distance(left: &[f64], right: &[f64]) -> f64 {
    let norms = inner_product(left, left) * inner_product(right, right);
    // Rounding must not take it out of 0 to 2.
    1.0 - (inner_product(left, right) / norms.sqrt()).clamp(-1.0, 1.0)
}

fn l2_distance(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

fn inner_product(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

fn invoke(args: &ScalarFunctionArgs, measure: fn(&[f64], &[f64]) -> f64) -> Result<ArrayRef> {
    let (left, right) = (Vectors::of(args, 0)?, Vectors::of(args, 1)?);
    let mut parsed = (Vec::new(), Vec::new());
    let mut values = Vec::with_capacity(args.number_rows);
    for row in 0..args.number_rows {
        let (Some(left), Some(right)) = (left.get(row, &mut parsed.0)?, right.get(row, &mut parsed.1)?) else {
            values.push(None);
            continue;
        };
        if left.len() != right.len() {
            let message = format!("vectors of {} and of {} numbers have no distance", left.len(), right.len());
            return Err(Error::new(ErrorKind::DataException, message));
        }
        values.push(Some(measure(left, right)));
    }
    Ok(Arc::new(Float64Array::from(values)))
}

/// An argument: a vector for all rows, or one a row.
enum Vectors {
    One(Option<Vec<f64>>),
    /// Lists of 64-bit floats.
    Lists(ArrayRef),
    Texts(Texts),
}

impl Vectors {
    fn of(args: &ScalarFunctionArgs, index: usize) -> Result<Self> {
        match args.args.get(index) {
            Some(ColumnarValue::Scalar(value)) => {
                let mut parsed = Vec::new();
                let one = Self::of_array(value.to_array_of_size(1)?)?;
                let vector = one.get(0, &mut parsed)?.map(<[f64]>::to_vec);
                Ok(Self::One(vector))
            }
            Some(ColumnarValue::Array(array)) => Self::of_array(Arc::clone(array)),
            None => Err(Error::internal("an argument is missing")),
        }
    }

    fn of_array(array: ArrayRef) -> Result<Self> {
        if is_text(array.data_type()) {
            return Ok(Self::Texts(Texts::Each(cast(&array, &DataType::Utf8View)?.as_string_view().clone())));
        }
        let lists = DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true)));
        Ok(Self::Lists(cast(&array, &lists)?))
    }

    /// The vector in `row`; `parsed` holds what is read from a text.
    fn get<'a>(&'a self, row: usize, parsed: &'a mut Vec<f64>) -> Result<Option<&'a [f64]>> {
        match self {
            Self::One(vector) => Ok(vector.as_deref()),
            Self::Texts(texts) => {
                let Some(text) = texts.get(row) else { return Ok(None) };
                *parsed = parse(text)?;
                Ok(Some(parsed))
            }
            Self::Lists(lists) => {
                let lists = lists.as_list::<i32>();
                if lists.is_null(row) {
                    return Ok(None);
                }
                let numbers = lists.values().as_primitive::<Float64Type>();
                let (start, length) = (lists.value_offsets().get(row), lists.value_length(row));
                let start = start.and_then(|start| usize::try_from(*start).ok()).unwrap_or(0);
                let end = start + usize::try_from(length).unwrap_or(0);
                if numbers.null_count() > 0 && (start..end).any(|at| numbers.is_null(at)) {
                    return Err(Error::new(ErrorKind::DataException, "a vector must not hold NULL"));
                }
                Ok(numbers.values().get(start..end))
            }
        }
    }
}

/// A vector from a JSON array of numbers, or from an array in PostgreSQL's form.
fn parse(text: &str) -> Result<Vec<f64>> {
    let trimmed = text.trim_ascii();
    let inner = trimmed.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    let inner = inner.or_else(|| trimmed.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')));
    let numbers = inner.and_then(|inner| match inner.trim_ascii() {
        "" => Some(Vec::new()),
        inner => inner.split(',').map(|number| number.trim_ascii().parse().ok()).collect(),
    });
    numbers.ok_or_else(|| {
        let shown: String = text.chars().take(60).collect();
        Error::new(ErrorKind::InvalidTextRepresentation, format!("invalid input for a vector: {shown:?}"))
    })
}
