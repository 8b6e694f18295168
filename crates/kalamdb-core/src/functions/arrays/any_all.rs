//! `x op ANY(array)` and `x op ALL(array)`: an element that is NULL leaves open what it might have decided.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, UInt32Array};
use datafusion::arrow::compute::kernels::{cmp, comparison};
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};

use kalamdb_types::{Source, SqlType, coerce as converted};

use super::lists::{boolean, common, element_type, list_of, lists, range, refused};
use crate::error::{Error, Result};
use crate::functions::{Texts, array, coercing_function, is_text};

/// `compare_any(x, array, '=')`
pub(crate) const COMPARE_ANY: &str = "compare_any";
/// `compare_all(x, array, '=')`
pub(crate) const COMPARE_ALL: &str = "compare_all";
/// `array_has(array, x)` is `x = ANY(array)`.
const ARRAY_HAS: &str = "array_has";

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![
        coercing_function(&[COMPARE_ANY], coerce, boolean, |args| compare(args, Quantifier::Any)),
        coercing_function(&[COMPARE_ALL], coerce, boolean, |args| compare(args, Quantifier::All)),
        coercing_function(&[ARRAY_HAS, "list_has", "array_contains", "list_contains"], coerce, boolean, |args| {
            compare(args, Quantifier::Has)
        }),
    ]
}

/// Which of the functions it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    Any,
    All,
    Has,
}

fn coerce(name: &str, args: &[DataType]) -> DataFusionResult<Vec<DataType>> {
    if let (COMPARE_ANY | COMPARE_ALL, [value, array, op, DataType::Boolean]) = (name, args)
        && is_text(array)
    {
        return Ok(vec![value.clone(), array.clone(), op.clone(), DataType::Boolean]);
    }
    let (value, array) = match (name, args) {
        (ARRAY_HAS, [array, value]) => (value, array),
        (COMPARE_ANY | COMPARE_ALL, [value, array, _]) => (value, array),
        _ => return refused(name, args),
    };
    let element = match element_type(array) {
        Some(element) => element,
        None if *array == DataType::Null => value,
        None => return refused(name, args),
    };
    let Some(common) = common(value, element) else { return refused(name, args) };
    let list = list_of(common.clone());
    Ok(if name == ARRAY_HAS { vec![list, common] } else { vec![common, list, DataType::Utf8] })
}

fn compare(args: &ScalarFunctionArgs, quantifier: Quantifier) -> Result<ArrayRef> {
    let has = quantifier == Quantifier::Has;
    let (values, arrays) = (array(args, usize::from(has))?, array(args, usize::from(!has))?);
    let op = if has { Texts::One(Some("=".to_owned())) } else { Texts::of(args, 2)? };
    let arrays = if is_text(arrays.data_type()) { read(&arrays, values.data_type())? } else { arrays };
    let lists = lists(&arrays)?;
    // Each value once for each element that it is compared with.
    let n_elements = lists.values().len();
    let mut of: Vec<Option<u32>> = vec![None; n_elements];
    for row in 0..lists.len() {
        let row_number = u32::try_from(row).ok();
        range(&lists, row).for_each(|at| of.get_mut(at).into_iter().for_each(|of| *of = row_number));
    }
    let mut values: ArrayRef = take(&values, &UInt32Array::from(of), None)?;
    if is_text(values.data_type()) {
        // Texts of arrays that are written as texts may be of another width.
        values = cast(&values, lists.values().data_type())?;
    }
    let results = compared(op.get(0).unwrap_or_default(), &values, lists.values())?;
    let decides = quantifier != Quantifier::All;
    let answers: BooleanArray = (0..lists.len())
        .map(|row| {
            if lists.is_null(row) {
                return None;
            }
            let mut result = Some(!decides);
            for at in range(&lists, row) {
                if results.is_null(at) {
                    result = None;
                } else if results.value(at) == decides {
                    return Some(decides);
                }
            }
            result
        })
        .collect();
    Ok(Arc::new(answers))
}

/// Arrays that are written as texts: `x = ANY ('{1,2}')`.
fn read(texts: &ArrayRef, element: &DataType) -> Result<ArrayRef> {
    let of = Field::new("", list_of(element.clone()), true);
    let array = SqlType::of_field(&of).ok_or_else(|| Error::internal(format!("{element} is of no array")))?;
    Ok(converted(texts, &Field::new("", texts.data_type().clone(), true), &array, Source::Sql)?)
}

fn compared(op: &str, left: &ArrayRef, right: &ArrayRef) -> Result<BooleanArray> {
    if left.data_type().is_nested() {
        return super::order::nested(op, left, right);
    }
    Ok(match op {
        "=" => cmp::eq(left, right)?,
        "<>" => cmp::neq(left, right)?,
        "<" => cmp::lt(left, right)?,
        "<=" => cmp::lt_eq(left, right)?,
        ">" => cmp::gt(left, right)?,
        ">=" => cmp::gt_eq(left, right)?,
        "~~" => comparison::like(left, right)?,
        "!~~" => comparison::nlike(left, right)?,
        "~~*" => comparison::ilike(left, right)?,
        "!~~*" => comparison::nilike(left, right)?,
        other => return Err(Error::unsupported(format!("the operator {other} with ANY and ALL of an array"))),
    })
}
