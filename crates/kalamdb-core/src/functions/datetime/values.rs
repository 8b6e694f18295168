//! The arguments of functions of dates and times as plain values, and their results as arrays.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Float64Type, IntervalMonthDayNano, IntervalMonthDayNanoType, Time64MicrosecondType,
    TimestampMicrosecondType,
};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};
use kalamdb_types::{Source, SqlType, coerce};

use crate::error::{Error, ErrorKind, Result};

pub(super) type Timestamps = Values<TimestampMicrosecondType>;
pub(super) type Dates = Values<Date32Type>;
pub(super) type Times = Values<Time64MicrosecondType>;
pub(super) type Intervals = Values<IntervalMonthDayNanoType>;
pub(super) type Numbers = Values<Float64Type>;

/// An argument: one value for all rows, or one a row.
pub(super) struct Values<T: ArrowPrimitiveType> {
    values: PrimitiveArray<T>,
    is_one: bool,
}

impl<T: ArrowPrimitiveType> Values<T> {
    /// The argument converted to a type, whose Arrow type is `T`.
    pub(super) fn of(args: &ScalarFunctionArgs, index: usize, sql_type: SqlType) -> Result<Self> {
        let (Some(value), Some(field)) = (args.args.get(index), args.arg_fields.get(index)) else {
            return Err(Error::internal("an argument is missing"));
        };
        let is_one = matches!(value, ColumnarValue::Scalar(_));
        let array = value.to_array(if is_one { 1 } else { args.number_rows })?;
        let array = coerce(&array, field, &sql_type, Source::Sql)?;
        let values =
            array.as_primitive_opt::<T>().ok_or_else(|| Error::internal("an argument has another type"))?.clone();
        Ok(Self { values, is_one })
    }

    pub(super) fn get(&self, row: usize) -> Option<T::Native> {
        let row = if self.is_one { 0 } else { row };
        (row < self.values.len() && self.values.is_valid(row)).then(|| self.values.value(row))
    }
}

/// One value for each row, NULL where `value` gives none.
pub(super) fn each<T: ArrowPrimitiveType>(
    args: &ScalarFunctionArgs,
    value: impl FnMut(usize) -> Result<Option<T::Native>>,
) -> Result<PrimitiveArray<T>> {
    let values = (0..args.number_rows).map(value).collect::<Result<Vec<_>>>()?;
    Ok(values.into_iter().collect())
}

/// One point in time a row, with the zone that the function's result has.
pub(crate) fn each_timestamp(
    args: &ScalarFunctionArgs,
    value: impl FnMut(usize) -> Result<Option<i64>>,
) -> Result<ArrayRef> {
    let zone = match args.return_field.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    Ok(Arc::new(each::<TimestampMicrosecondType>(args, value)?.with_timezone_opt(zone)))
}

pub(super) fn each_interval(
    args: &ScalarFunctionArgs,
    value: impl FnMut(usize) -> Result<Option<IntervalMonthDayNano>>,
) -> Result<ArrayRef> {
    Ok(Arc::new(each::<IntervalMonthDayNanoType>(args, value)?))
}

/// The type of an argument, as far as dates and times tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Interval,
    Integer,
    /// A float or a decimal.
    Number,
    Text,
    Null,
    Other,
}

impl Kind {
    pub(super) fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Time32(_) | DataType::Time64(_) => Self::Time,
            DataType::Timestamp(_, None) => Self::Timestamp,
            DataType::Timestamp(_, Some(_)) => Self::TimestampTz,
            DataType::Interval(_) | DataType::Duration(_) => Self::Interval,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Null => Self::Null,
            other if other.is_integer() => Self::Integer,
            other if other.is_floating() || other.is_decimal() => Self::Number,
            _ => Self::Other,
        }
    }

    /// A day or a point in time.
    pub(super) fn is_moment(self) -> bool {
        matches!(self, Self::Date | Self::Timestamp | Self::TimestampTz)
    }
}

/// The error for a result that its type cannot hold.
pub(crate) fn out_of_range(what: &str) -> Error {
    Error::new(ErrorKind::DatetimeFieldOverflow, format!("{what} out of range"))
}
