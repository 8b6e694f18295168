//! The fields of dates and times by name, and a point in time by its fields.

use kalamdb_types::calendar::{Civil, DAY, SECOND};

use crate::error::{Error, ErrorKind, Result};

/// What EXTRACT, `date_part` and `date_trunc` may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Nanosecond,
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
    IsoYear,
    /// 0 is Sunday.
    DayOfWeek,
    /// 1 is Monday.
    IsoDayOfWeek,
    DayOfYear,
    Julian,
    Epoch,
    /// Of a zone, which is UTC.
    Zone,
}

impl Unit {
    /// The unit of a name in any case.
    pub(super) fn parse(name: &str) -> Result<Self> {
        Ok(match name.trim_ascii().to_ascii_lowercase().as_str() {
            "nanosecond" | "nanoseconds" => Self::Nanosecond,
            "microsecond" | "microseconds" | "us" | "usec" | "usecs" | "usecond" | "useconds" => Self::Microsecond,
            "millisecond" | "milliseconds" | "ms" | "msec" | "msecs" | "msecond" | "mseconds" => Self::Millisecond,
            "second" | "seconds" | "sec" | "secs" | "s" => Self::Second,
            "minute" | "minutes" | "min" | "mins" | "m" => Self::Minute,
            "hour" | "hours" | "hr" | "hrs" | "h" => Self::Hour,
            "day" | "days" | "d" => Self::Day,
            "week" | "weeks" | "w" => Self::Week,
            "month" | "months" | "mon" | "mons" => Self::Month,
            "quarter" | "qtr" => Self::Quarter,
            "year" | "years" | "yr" | "yrs" | "y" => Self::Year,
            "decade" | "decades" | "dec" | "decs" => Self::Decade,
            "century" | "centuries" | "cent" | "c" => Self::Century,
            "millennium" | "millennia" | "millenniums" | "mil" | "mils" => Self::Millennium,
            "isoyear" => Self::IsoYear,
            "dow" | "dayofweek" => Self::DayOfWeek,
            "isodow" => Self::IsoDayOfWeek,
            "doy" | "dayofyear" => Self::DayOfYear,
            "julian" | "j" => Self::Julian,
            "epoch" => Self::Epoch,
            "timezone" | "timezone_hour" | "timezone_minute" => Self::Zone,
            other => {
                return Err(Error::new(ErrorKind::InvalidParameterValue, format!("unit {other} is not recognized")));
            }
        })
    }
}

/// A point in time by its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) civil: Civil,
    /// Days since 1970-01-01.
    pub(super) days: i64,
    /// Microseconds since midnight.
    pub(super) time: i64,
}

impl Fields {
    pub(super) fn of(micros: i64) -> Self {
        let days = micros.div_euclid(DAY);
        Self { civil: Civil::from_days(days), days, time: micros.rem_euclid(DAY) }
    }

    pub(super) fn hour(&self) -> i64 {
        self.time / (3_600 * SECOND)
    }

    pub(super) fn minute(&self) -> i64 {
        self.time / (60 * SECOND) % 60
    }

    pub(super) fn second(&self) -> i64 {
        self.time / SECOND % 60
    }

    /// Microseconds of the second.
    pub(super) fn micros(&self) -> i64 {
        self.time % SECOND
    }

    /// 0 is Sunday.
    pub(super) fn day_of_week(&self) -> i64 {
        (self.days + 4).rem_euclid(7)
    }

    /// 1 is Monday.
    pub(super) fn iso_day_of_week(&self) -> i64 {
        (self.days + 3).rem_euclid(7) + 1
    }

    pub(super) fn day_of_year(&self) -> i64 {
        self.days - Civil { year: self.civil.year, month: 1, day: 1 }.to_days() + 1
    }

    /// The year that the week belongs to (0 is 1 BC), and the number of the week in it: that of its Thursday.
    pub(super) fn iso_week(&self) -> (i64, i64) {
        let thursday = self.days + 4 - self.iso_day_of_week();
        let year = Civil::from_days(thursday).year;
        let first = Civil { year, month: 1, day: 1 }.to_days();
        (year, (thursday - first) / 7 + 1)
    }

    pub(super) fn quarter(&self) -> i64 {
        (self.civil.month - 1) / 3 + 1
    }

    /// Days since noon of 4714-11-24 BC, as PostgreSQL counts: from midnight.
    pub(super) fn julian_day(&self) -> i64 {
        self.days + 2_440_588
    }
}

/// A year as people count: there is no year 0.
pub(super) fn shown_year(year: i64) -> i64 {
    if year > 0 { year } else { year - 1 }
}

pub(super) fn century(year: i64) -> i64 {
    if year > 0 { (year + 99) / 100 } else { -((99 - (year - 1)) / 100) }
}

pub(super) fn millennium(year: i64) -> i64 {
    if year > 0 { (year + 999) / 1_000 } else { -((999 - (year - 1)) / 1_000) }
}

pub(super) fn decade(year: i64) -> i64 {
    if year >= 0 { year / 10 } else { -((8 - (year - 1)) / 10) }
}
