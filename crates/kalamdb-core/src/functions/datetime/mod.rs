//! Dates, times and intervals as PostgreSQL has them: microseconds everywhere, no year too far, and an error where a
//! result does not fit.

mod age;
mod average;
mod bins;
mod compare;
mod datetime_functions;
mod extract;
mod fields;
mod format;
mod make;
mod now;
mod operators;
pub(crate) mod pattern;
mod precision;
mod series;
mod series_array;
mod shift;
mod trunc;
mod unix;
mod values;
mod zone;
mod zones;

pub(crate) use average::IntervalTotal;
pub(crate) use compare::compared_date;
pub(crate) use datetime_functions::all;
pub(crate) use operators::{Operators, operation, operation_again};
pub(crate) use precision::WITH_PRECISION;
pub(crate) use series::series;
pub(crate) use series_array::array_functions;
pub(crate) use shift::length;
pub(crate) use values::{each_timestamp, out_of_range};
