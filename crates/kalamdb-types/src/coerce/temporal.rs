use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Date32Array, Time64MicrosecondArray, TimestampMicrosecondArray, types::Time64MicrosecondType,
};

use super::{Converted, Fault, Source, map, parse, plain::Plain, text};
use crate::{calendar::DAY, error::Failure};

/// Dates; of timestamps only in SQL, where the time is cut off.
pub(super) fn to_date(plain: Plain, source: Source) -> Converted {
    let converted: Date32Array = match plain {
        Plain::Date(array) => array,
        Plain::Timestamp(array) if source == Source::Sql => {
            map(&array, |micros| i32::try_from(micros.div_euclid(DAY)).map_err(|_| Failure::DatetimeRange))?
        }
        Plain::Text(texts) => parse(&texts, |text| text::parse_date(text, source == Source::Sql))?,
        Plain::Timestamp(_)
        | Plain::Boolean(_)
        | Plain::Int(_)
        | Plain::UInt64(_)
        | Plain::Float(..)
        | Plain::Decimal(..)
        | Plain::Bytes(_)
        | Plain::Time(_)
        | Plain::Other => return Err(Fault::whole(Failure::Type)),
    };
    Ok(Arc::new(converted))
}

/// Times of day; of timestamps only in SQL, where the day is cut off.
pub(super) fn to_time(plain: Plain, source: Source) -> Converted {
    let converted: Time64MicrosecondArray = match plain {
        Plain::Time(array) => map(&array, in_day)?,
        Plain::Timestamp(array) if source == Source::Sql => map(&array, |micros| Ok(micros.rem_euclid(DAY)))?,
        Plain::Text(texts) => parse(&texts, text::parse_time)?,
        Plain::Timestamp(_)
        | Plain::Boolean(_)
        | Plain::Int(_)
        | Plain::UInt64(_)
        | Plain::Float(..)
        | Plain::Decimal(..)
        | Plain::Bytes(_)
        | Plain::Date(_)
        | Plain::Other => return Err(Fault::whole(Failure::Type)),
    };
    Ok(Arc::new(converted))
}

/// Times of the right type that Arrow's arithmetic may have carried beyond midnight.
pub(super) fn check_time(array: &ArrayRef) -> Converted {
    map::<_, Time64MicrosecondType>(array.as_primitive::<Time64MicrosecondType>(), in_day).map(|_| Arc::clone(array))
}

fn in_day(micros: i64) -> Result<i64, Failure> {
    if (0..DAY).contains(&micros) { Ok(micros) } else { Err(Failure::DatetimeRange) }
}

/// Timestamps. A text's offset is applied if the target has a zone, else dropped, as PostgreSQL does.
pub(super) fn to_timestamp(plain: Plain, has_zone: bool) -> Converted {
    let converted: TimestampMicrosecondArray = match plain {
        Plain::Timestamp(array) => array,
        Plain::Date(array) => map(&array, |days| i64::from(days).checked_mul(DAY).ok_or(Failure::DatetimeRange))?,
        Plain::Text(texts) => parse(&texts, |text| {
            let moment = text::parse_moment(text)?;
            if has_zone { moment.utc_micros() } else { moment.local_micros() }
        })?,
        Plain::Boolean(_)
        | Plain::Int(_)
        | Plain::UInt64(_)
        | Plain::Float(..)
        | Plain::Decimal(..)
        | Plain::Bytes(_)
        | Plain::Time(_)
        | Plain::Other => return Err(Fault::whole(Failure::Type)),
    };
    Ok(Arc::new(converted.with_timezone_opt(has_zone.then_some("UTC"))))
}
