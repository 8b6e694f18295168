//! The keys of a run of rows, in a form that is compared and hashed.

use std::cmp::Ordering;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type, Int64Type, UInt64Type};
use datafusion::arrow::row::{RowConverter, Rows, SortField};

use crate::catalog::Table;
use crate::error::Result;

/// The keys of a run of rows: primary keys, or hidden row ids where there is none.
#[derive(Debug)]
pub(crate) enum Keys {
    /// One integer column.
    Integers(Vec<i64>),
    /// Anything else, as bytes that are equal exactly if the keys are.
    Bytes(Rows),
}

impl Keys {
    /// Whether the table's keys are single integers.
    pub(crate) fn are_integers(table: &Table) -> bool {
        match table.primary_key.as_slice() {
            [] => true,
            [one] => table.data_type(*one).is_some_and(DataType::is_integer),
            _ => false,
        }
    }

    /// The values of any columns as bytes, `None` for rows in which one of them is NULL: NULLs are never equal.
    pub(crate) fn of_nullable(columns: &[ArrayRef]) -> Result<Vec<Option<Box<[u8]>>>> {
        let columns: Vec<ArrayRef> = columns.iter().map(with_one_zero).collect();
        let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
        let rows = RowConverter::new(fields)?.convert_columns(&columns)?;
        let is_null = |row: usize| columns.iter().any(|column| column.is_null(row));
        Ok((0..rows.num_rows()).map(|row| (!is_null(row)).then(|| rows.row(row).data().into())).collect())
    }

    /// The primary keys of rows whose user columns `column` gives.
    pub(crate) fn of_columns(table: &Table, column: impl Fn(usize) -> Result<ArrayRef>) -> Result<Self> {
        Self::of_arrays(&table.primary_key.iter().map(|&index| column(index)).collect::<Result<Vec<_>>>()?)
    }

    /// The keys that the given columns make.
    pub(crate) fn of_arrays(columns: &[ArrayRef]) -> Result<Self> {
        match columns {
            [one] if one.data_type().is_integer() => Ok(Self::Integers(integers(one)?)),
            _ => {
                let columns: Vec<ArrayRef> = columns.iter().map(with_one_zero).collect();
                let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
                Ok(Self::Bytes(RowConverter::new(fields)?.convert_columns(&columns)?))
            }
        }
    }

    /// Compares two keys of one table.
    pub(crate) fn cmp_at(&self, row: usize, other: &Keys, other_row: usize) -> Ordering {
        match (self, other) {
            (Keys::Integers(keys), Keys::Integers(others)) => keys.get(row).cmp(&others.get(other_row)),
            (Keys::Bytes(keys), Keys::Bytes(others)) if row < keys.num_rows() && other_row < others.num_rows() => {
                keys.row(row).data().cmp(others.row(other_row).data())
            }
            // A table's keys are either all integers or all bytes.
            _ => Ordering::Equal,
        }
    }

    /// The rows in the order of their keys.
    pub(crate) fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by(|a, b| self.cmp_at(*a, self, *b));
        order
    }

    /// How much memory they take, in bytes.
    pub(crate) fn n_bytes(&self) -> usize {
        match self {
            Keys::Integers(keys) => keys.len() * size_of::<i64>(),
            Keys::Bytes(rows) => rows.size(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Keys::Integers(keys) => keys.len(),
            Keys::Bytes(rows) => rows.num_rows(),
        }
    }
}

/// Unsigned 64-bit keys wrap around, which keeps different keys different.
fn integers(column: &ArrayRef) -> Result<Vec<i64>> {
    if *column.data_type() == DataType::UInt64 {
        return Ok(column.as_primitive::<UInt64Type>().values().iter().map(|value| value.cast_signed()).collect());
    }
    let column = cast(column, &DataType::Int64)?;
    Ok(column.as_primitive::<Int64Type>().values().to_vec())
}

/// Makes -0.0 and 0.0 the same key, as they are equal in SQL.
fn with_one_zero(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Float32 => {
            Arc::new(column.as_primitive::<Float32Type>().unary::<_, Float32Type>(|value| value + 0.0)) as ArrayRef
        }
        DataType::Float64 => {
            Arc::new(column.as_primitive::<Float64Type>().unary::<_, Float64Type>(|value| value + 0.0)) as ArrayRef
        }
        _ => Arc::clone(column),
    }
}
