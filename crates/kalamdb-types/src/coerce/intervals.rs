use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, IntervalMonthDayNanoArray, types::*},
    datatypes::{DataType, IntervalMonthDayNano, IntervalUnit, TimeUnit},
};

use super::{Converted, Fault, map, parse, plain, plain::Plain, text};
use crate::error::Failure;

/// Intervals of intervals of any unit, of durations (differences of timestamps), of times of day, and of text.
pub(super) fn convert(array: &ArrayRef) -> Converted {
    let of = IntervalMonthDayNano::new;
    let converted: IntervalMonthDayNanoArray = match array.data_type() {
        DataType::Interval(IntervalUnit::YearMonth) => {
            map(array.as_primitive::<IntervalYearMonthType>(), |months| Ok(of(months, 0, 0)))?
        }
        DataType::Interval(IntervalUnit::DayTime) => map(array.as_primitive::<IntervalDayTimeType>(), |value| {
            Ok(of(0, value.days, i64::from(value.milliseconds) * 1_000_000))
        })?,
        DataType::Interval(IntervalUnit::MonthDayNano) => return Ok(Arc::clone(array)),
        DataType::Duration(TimeUnit::Second) => {
            map(array.as_primitive::<DurationSecondType>(), |value| duration(value, 1_000_000_000))?
        }
        DataType::Duration(TimeUnit::Millisecond) => {
            map(array.as_primitive::<DurationMillisecondType>(), |value| duration(value, 1_000_000))?
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            map(array.as_primitive::<DurationMicrosecondType>(), |value| duration(value, 1_000))?
        }
        DataType::Duration(TimeUnit::Nanosecond) => {
            map(array.as_primitive::<DurationNanosecondType>(), |value| duration(value, 1))?
        }
        DataType::Time32(_) | DataType::Time64(_) => {
            let Plain::Time(times) = Plain::of(array)? else { return Err(Fault::whole(Failure::Type)) };
            map(&times, |micros| Ok(of(0, 0, micros * 1_000)))?
        }
        _ => {
            let texts = plain::texts(array).ok_or(Fault::whole(Failure::Type))?;
            parse(&texts, |text| text::parse_interval(text).map(|(months, days, nanos)| of(months, days, nanos)))?
        }
    };
    Ok(Arc::new(converted))
}

/// A duration as an interval, its whole days apart.
fn duration(value: i64, nanos_per_unit: i128) -> Result<IntervalMonthDayNano, Failure> {
    const DAY: i128 = 86_400_000_000_000;
    let nanos = i128::from(value) * nanos_per_unit;
    let days = i32::try_from(nanos / DAY).map_err(|_| Failure::DatetimeRange)?;
    // Less than a day.
    let rest = i64::try_from(nanos % DAY).map_err(|_| Failure::DatetimeRange)?;
    Ok(IntervalMonthDayNano::new(0, days, rest))
}
