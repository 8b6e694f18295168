//! `key = value`: rows that the key index finds, without the planner.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Ident, UnaryOperator, Value};
use kalamdb_types::SqlType;

use crate::catalog::Table;
use crate::error::Result;
use crate::rows::Keys;
use crate::sql::parse::{Parameters, fold};

/// A condition of this form. What has any other, and what would fail, is left to the planner.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyEquality<'a> {
    key: &'a Ident,
    value: &'a Expr,
}

impl<'a> KeyEquality<'a> {
    pub(crate) fn of(condition: &'a Expr) -> Option<Self> {
        let Expr::BinaryOp { left, op: BinaryOperator::Eq, right } = condition else { return None };
        match (&**left, &**right) {
            (Expr::Identifier(key), value) | (value, Expr::Identifier(key)) => Some(Self { key, value }),
            _ => None,
        }
    }

    /// The value as a key; `None` if it is compared in another way, or is not the key.
    pub(crate) fn keys(&self, table: &Table, parameters: &Parameters) -> Result<Option<Keys>> {
        let &[key] = table.primary_key.as_slice() else { return Ok(None) };
        let Some(column) = table.columns.get(key).filter(|column| is_plain(self.key) && column.name == fold(self.key))
        else {
            return Ok(None);
        };
        let data_type = column.sql_type.arrow();
        Ok(match column.sql_type {
            SqlType::Text | SqlType::Varchar(_) if data_type == DataType::Utf8View => {
                match text(self.value, parameters)? {
                    Some(text) => Some(Keys::of_arrays(&[text])?),
                    None => None,
                }
            }
            // Unsigned integers of 64 bits may be greater than the value can be.
            _ if data_type.is_integer() && data_type != DataType::UInt64 => {
                integer(self.value, parameters).map(|value| Keys::Integers(vec![value]))
            }
            _ => None,
        })
    }
}

/// Whether the planner and the engine fold the name alike.
pub(super) fn is_plain(ident: &Ident) -> bool {
    ident.value.is_ascii()
}

fn parameter<'a>(placeholder: &str, parameters: &'a Parameters) -> Option<&'a ArrayRef> {
    let (array, field) = parameters.by_placeholder(placeholder)?;
    (field.metadata().is_empty() && array.len() == 1 && array.is_valid(0)).then_some(array)
}

fn integer(value: &Expr, parameters: &Parameters) -> Option<i64> {
    match value {
        Expr::Value(value) => match &value.value {
            Value::Number(text, false) => text.parse().ok(),
            Value::Placeholder(name) => {
                let array = parameter(name, parameters)?.as_primitive_opt::<Int64Type>()?;
                array.values().first().copied()
            }
            _ => None,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match &**expr {
            Expr::Value(value) => match &value.value {
                Value::Number(text, false) => text.parse::<i64>().ok().and_then(i64::checked_neg),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

fn text(value: &Expr, parameters: &Parameters) -> Result<Option<ArrayRef>> {
    let Expr::Value(value) = value else { return Ok(None) };
    Ok(match &value.value {
        Value::SingleQuotedString(text) => Some(Arc::new(StringViewArray::from_iter_values([text]))),
        Value::Placeholder(name) => match parameter(name, parameters) {
            Some(array) if matches!(array.data_type(), DataType::Utf8 | DataType::Utf8View) => {
                Some(cast(array, &DataType::Utf8View)?)
            }
            _ => None,
        },
        _ => None,
    })
}
