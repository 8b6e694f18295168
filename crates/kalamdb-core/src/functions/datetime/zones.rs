//! Time zones by name, by abbreviation and as offsets: local time from a point in time, and back.

use chrono::{DateTime, Offset, TimeZone};
use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::datatypes::IntervalMonthDayNano;
use datafusion::logical_expr::ScalarFunctionArgs;
use kalamdb_types::SqlType;
use kalamdb_types::calendar::{Civil, DAY, SECOND};

use super::fields::Fields;
use super::shift::MICROSECOND;
use super::values::{Intervals, Kind, out_of_range};
use crate::error::{Error, ErrorKind, Result};
use crate::functions::Texts;

/// A rule for how far local time is ahead of UTC.
#[derive(Debug, Clone, Copy)]
pub(super) enum Zone {
    /// Always so many seconds.
    Fixed(i64),
    Named(Tz),
}

/// Abbreviations that have one meaning whatever the date; the names of the database of zones come after them, as in
/// PostgreSQL.
const ABBREVIATIONS: [(&str, i64); 33] = [
    ("utc", 0),
    ("gmt", 0),
    ("ut", 0),
    ("uct", 0),
    ("z", 0),
    ("zulu", 0),
    ("wet", 0),
    ("west", 60),
    ("bst", 60),
    ("cet", 60),
    ("cest", 120),
    ("met", 60),
    ("mest", 120),
    ("eet", 120),
    ("eest", 180),
    ("ist", 120),
    ("msk", 180),
    ("msd", 240),
    ("est", -300),
    ("edt", -240),
    ("cst", -360),
    ("cdt", -300),
    ("mst", -420),
    ("mdt", -360),
    ("pst", -480),
    ("pdt", -420),
    ("akst", -540),
    ("akdt", -480),
    ("hst", -600),
    ("jst", 540),
    ("kst", 540),
    ("nzst", 720),
    ("nzdt", 780),
];

impl Zone {
    pub(super) fn parse(name: &str) -> Result<Self> {
        let lower = name.trim_ascii().to_ascii_lowercase();
        let abbreviation =
            ABBREVIATIONS.iter().find(|(known, _)| *known == lower).map(|(_, minutes)| Self::Fixed(minutes * 60));
        let zone =
            abbreviation.or_else(|| offset(&lower).map(Self::Fixed)).or_else(|| named(name.trim_ascii(), &lower));
        zone.ok_or_else(|| {
            Error::new(ErrorKind::InvalidParameterValue, format!("time zone {name:?} is not recognized"))
        })
    }

    /// The offset that an interval of hours and minutes means.
    fn of_interval(interval: IntervalMonthDayNano) -> Result<Self> {
        if interval.months != 0 || interval.days != 0 {
            let message = "an interval that is a time zone has no months and no days";
            return Err(Error::new(ErrorKind::InvalidParameterValue, message));
        }
        Ok(Self::Fixed(interval.nanoseconds / (SECOND * MICROSECOND)))
    }

    /// The local time at a point in time.
    pub(super) fn to_local(self, utc: i64) -> Result<i64> {
        utc.checked_add(self.offset_at(utc) * SECOND).ok_or_else(|| out_of_range("timestamp"))
    }

    /// The point in time of a local time. Where clocks are put forward a time that is skipped counts as before; where
    /// they are put back, one that is there twice is the second.
    pub(super) fn to_utc(self, local: i64) -> Result<i64> {
        let before = self.offset_at(local.saturating_sub(DAY));
        let after = self.offset_at(local.saturating_add(DAY));
        let with = |offset: i64| local.checked_sub(offset * SECOND);
        let is_second = with(after).is_some_and(|utc| self.offset_at(utc) == after);
        with(if is_second { after } else { before }).ok_or_else(|| out_of_range("timestamp"))
    }

    /// How many seconds local time is ahead of UTC.
    pub(super) fn offset_at(self, utc: i64) -> i64 {
        match self {
            Self::Fixed(seconds) => seconds,
            Self::Named(zone) => {
                let at = DateTime::from_timestamp_micros(within_rules(utc)).unwrap_or_default().naive_utc();
                zone.offset_from_utc_datetime(&at).fix().local_minus_utc().into()
            }
        }
    }
}

/// A point in time with the same rules, and within the years that the database of zones lists: the rules of its last
/// years go on for ever, and the calendar repeats.
fn within_rules(utc: i64) -> i64 {
    const FIRST: i64 = 1_800;
    const LAST: i64 = 2_037;
    let new_year = |year| Civil { year, month: 1, day: 1 }.to_days();
    let at = Fields::of(utc);
    let year = at.civil.year;
    if year < FIRST {
        return new_year(FIRST) * DAY;
    }
    if year <= LAST {
        return utc;
    }
    let length_and_weekday = |year| (new_year(year + 1) - new_year(year), new_year(year).rem_euclid(7));
    let same =
        (LAST - 27..=LAST).find(|candidate| length_and_weekday(*candidate) == length_and_weekday(year)).unwrap_or(LAST);
    (new_year(same) + at.days - new_year(year)) * DAY + at.time
}

/// The seconds of `+05:30`, `-8`, `UTC+3`: as in POSIX, what is positive is west of Greenwich.
fn offset(text: &str) -> Option<i64> {
    let text = text.strip_prefix("utc").or_else(|| text.strip_prefix("gmt")).unwrap_or(text);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (1, digits),
        None => (-1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut parts = digits.split(':');
    let mut next = |limit: i64| match parts.next() {
        None => Some(0),
        Some(part) if matches!(part.len(), 1 | 2) && part.bytes().all(|b| b.is_ascii_digit()) => {
            part.parse::<i64>().ok().filter(|number| *number < limit)
        }
        Some(_) => None,
    };
    let seconds = next(168)? * 3_600 + next(60)? * 60 + next(60)?;
    parts.next().is_none().then_some(sign * seconds)
}

/// A zone of the database, whose names are written as `America/New_York`, or `UTC`, in any case here.
fn named(name: &str, lower: &str) -> Option<Zone> {
    // Offsets have another sign there.
    if name.is_empty() || name.starts_with(['+', '-']) || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut capitals = String::with_capacity(lower.len());
    let mut is_first = true;
    for c in lower.chars() {
        capitals.push(if is_first { c.to_ascii_uppercase() } else { c });
        is_first = matches!(c, '/' | '_' | '-');
    }
    let candidates = [name.to_owned(), capitals, lower.to_ascii_uppercase()];
    candidates.iter().find_map(|candidate| candidate.parse::<Tz>().ok()).map(Zone::Named)
}

/// The zones of a function's argument, each read once.
pub(super) enum Zones {
    One(Option<Zone>),
    Names(Texts, Option<(String, Zone)>),
    Offsets(Intervals),
}

impl Zones {
    /// A name or an interval.
    pub(super) fn of(args: &ScalarFunctionArgs, index: usize) -> Result<Self> {
        let field = args.arg_fields.get(index).ok_or_else(|| Error::internal("an argument is missing"))?;
        if Kind::of(field.data_type()) == Kind::Interval {
            return Ok(Self::Offsets(Intervals::of(args, index, SqlType::Interval)?));
        }
        Ok(match Texts::of(args, index)? {
            Texts::One(name) => Self::One(name.as_deref().map(Zone::parse).transpose()?),
            names @ Texts::Each(_) => Self::Names(names, None),
        })
    }

    pub(super) fn get(&mut self, row: usize) -> Result<Option<Zone>> {
        match self {
            Self::One(zone) => Ok(*zone),
            Self::Offsets(offsets) => offsets.get(row).map(Zone::of_interval).transpose(),
            Self::Names(names, last) => {
                let Some(name) = names.get(row) else { return Ok(None) };
                if let Some((known, zone)) = last
                    && known == name
                {
                    return Ok(Some(*zone));
                }
                let zone = Zone::parse(name)?;
                *last = Some((name.to_owned(), zone));
                Ok(Some(zone))
            }
        }
    }
}
