//! `to_char` of dates, times and intervals.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringViewBuilder};
use datafusion::arrow::datatypes::{Field as ArrowField, FieldRef, IntervalMonthDayNano};
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use kalamdb_types::SqlType;
use kalamdb_types::calendar::{Civil, SECOND};

use super::fields::{Fields, century};
use super::shift::{MICROSECOND, MONTH_DAYS};
use super::values::{Intervals, Kind, Timestamps};
use crate::error::{Error, ErrorKind, Result};
use crate::functions::datetime::pattern::{Case, DAYS, Field, MONTHS, Part, parts};
use crate::functions::{Texts, field, function, no_such_function};

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![function(&["to_char", "date_format"], returns, to_char)]
}

fn returns(name: &str, args: &[FieldRef]) -> Result<ArrowField> {
    let kinds: Vec<Kind> = args.iter().map(|arg| Kind::of(arg.data_type())).collect();
    match kinds.as_slice() {
        [value, Kind::Text | Kind::Null]
            if value.is_moment() || matches!(value, Kind::Time | Kind::Interval | Kind::Null) =>
        {
            Ok(field(name, SqlType::Text))
        }
        [Kind::Integer | Kind::Number, Kind::Text | Kind::Null] => {
            Err(Error::unsupported("to_char of a number").with_hint("round the number and cast it to TEXT"))
        }
        _ => Err(no_such_function(name, args)),
    }
}

fn to_char(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let templates = Texts::of(args, 1)?;
    let one = match &templates {
        Texts::One(Some(template)) => Some(parts(template)?),
        _ => None,
    };
    let kind = args.arg_fields.first().map_or(Kind::Null, |arg| Kind::of(arg.data_type()));
    let values = match kind {
        Kind::Time | Kind::Interval => Source::Intervals(Intervals::of(args, 0, SqlType::Interval)?),
        Kind::Timestamp => Source::Timestamps(Timestamps::of(args, 0, SqlType::Timestamp)?, false),
        _ => Source::Timestamps(Timestamps::of(args, 0, SqlType::TimestampTz)?, true),
    };
    let mut texts = StringViewBuilder::with_capacity(args.number_rows);
    let mut out = String::new();
    for row in 0..args.number_rows {
        out.clear();
        let own = match (&one, templates.get(row)) {
            (None, Some(template)) => Some(parts(template)?),
            _ => None,
        };
        match (values.get(row), one.as_ref().or(own.as_ref())) {
            // As in PostgreSQL, an empty template gives no text.
            (Some(shown), Some(template)) if !template.is_empty() => {
                shown.write(template, &mut out)?;
                texts.append_value(&out);
            }
            _ => texts.append_null(),
        }
    }
    Ok(Arc::new(texts.finish()))
}

enum Source {
    /// Points in time, and whether they have a zone.
    Timestamps(Timestamps, bool),
    Intervals(Intervals),
}

impl Source {
    fn get(&self, row: usize) -> Option<Shown> {
        match self {
            Self::Timestamps(timestamps, has_zone) => {
                timestamps.get(row).map(|micros| Shown::of_timestamp(micros, *has_zone))
            }
            Self::Intervals(intervals) => intervals.get(row).map(Shown::of_interval),
        }
    }
}

/// The fields that are shown of a point in time or an interval.
struct Shown {
    /// None of an interval.
    at: Option<Fields>,
    has_zone: bool,
    year: i64,
    month: i64,
    day: i64,
    day_of_year: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
}

impl Shown {
    fn of_timestamp(micros: i64, has_zone: bool) -> Self {
        let at = Fields::of(micros);
        let Civil { year, month, day } = at.civil;
        Self {
            at: Some(at),
            has_zone,
            year: if year > 0 { year } else { 1 - year },
            month,
            day,
            day_of_year: at.day_of_year(),
            hour: at.hour(),
            minute: at.minute(),
            second: at.second(),
            micros: at.micros(),
        }
    }

    fn of_interval(interval: IntervalMonthDayNano) -> Self {
        let micros = interval.nanoseconds / MICROSECOND;
        let (months, days) = (i64::from(interval.months), i64::from(interval.days));
        Self {
            at: None,
            has_zone: false,
            year: months / 12,
            month: months % 12,
            day: days,
            day_of_year: months * MONTH_DAYS + days,
            hour: micros / (3_600 * SECOND),
            minute: micros / (60 * SECOND) % 60,
            second: micros / SECOND % 60,
            micros: micros % SECOND,
        }
    }

    fn write(&self, template: &[Part], out: &mut String) -> Result<()> {
        for part in template {
            match part {
                Part::Literal(c) => out.push(*c),
                Part::Field(field) => self.write_field(*field, out)?,
            }
        }
        Ok(())
    }

    fn write_field(&self, field: Field, out: &mut String) -> Result<()> {
        let number = |value: i64, width: usize, out: &mut String| {
            write_number(value, if field.is_bare { 0 } else { width }, field.ordinal, out)
        };
        let fixed = |value: i64, width: usize, out: &mut String| write_number(value, width, field.ordinal, out);
        match field.name {
            "HH24" => number(self.hour, 2, out),
            "HH12" | "HH" => number(if self.hour % 12 == 0 { 12 } else { self.hour % 12 }, 2, out),
            "MI" => number(self.minute, 2, out),
            "SS" => number(self.second, 2, out),
            "MS" | "FF3" => fixed(self.micros / 1_000, 3, out),
            "US" | "FF6" => fixed(self.micros, 6, out),
            "FF1" => fixed(self.micros / 100_000, 1, out),
            "FF2" => fixed(self.micros / 10_000, 2, out),
            "FF4" => fixed(self.micros / 100, 4, out),
            "FF5" => fixed(self.micros / 10, 5, out),
            "SSSS" | "SSSSS" => fixed((self.hour * 60 + self.minute) * 60 + self.second, 0, out),
            "AM" | "PM" | "A.M." | "P.M." => {
                let name = match (self.hour.rem_euclid(24) >= 12, field.name.len()) {
                    (false, 2) => "AM",
                    (true, 2) => "PM",
                    (false, _) => "A.M.",
                    (true, _) => "P.M.",
                };
                write_word(name, 0, field, out);
            }
            "YYYY" => number(self.year, if self.year < 0 { 5 } else { 4 }, out),
            "YYY" => number(self.year % 1_000, 3, out),
            "YY" => number(self.year % 100, 2, out),
            "Y" => number(self.year % 10, 1, out),
            "Y,YYY" => {
                write_number(self.year / 1_000, 0, None, out);
                out.push(',');
                fixed((self.year % 1_000).abs(), 3, out);
            }
            "MM" => number(self.month, 2, out),
            "DD" => number(self.day, 2, out),
            "DDD" => number(self.day_of_year, 3, out),
            "WW" => number((self.day_of_year - 1) / 7 + 1, 2, out),
            "W" => fixed((self.day - 1) / 7 + 1, 0, out),
            "Q" => {
                if self.month != 0 {
                    fixed((self.month - 1) / 3 + 1, 0, out);
                }
            }
            "RM" => {
                if let Some(month) = usize::try_from(self.month)
                    .ok()
                    .and_then(|month| month.checked_sub(1))
                    .and_then(|month| ROMAN.get(month))
                {
                    write_word(month, 4, field, out);
                }
            }
            "CC" => {
                let value = self.at.map_or(self.year / 100, |at| century(at.civil.year));
                number(value, if value < 0 { 3 } else { 2 }, out);
            }
            "FX" => {}
            _ => self.write_moment(
                field,
                self.at.ok_or_else(|| {
                    let message = format!("pattern {} is not for intervals", field.name);
                    Error::new(ErrorKind::InvalidDatetimeFormat, message)
                })?,
                out,
            ),
        }
        Ok(())
    }

    /// Fields that intervals do not have.
    fn write_moment(&self, field: Field, at: Fields, out: &mut String) {
        let number = |value: i64, width: usize, out: &mut String| {
            write_number(value, if field.is_bare { 0 } else { width }, field.ordinal, out)
        };
        let iso_year = || {
            let year = at.iso_week().0;
            if year > 0 { year } else { 1 - year }
        };
        let name = |names: &[&'static str], index: i64| {
            usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or_default()
        };
        match field.name {
            "MONTH" => write_word(name(&MONTHS, self.month - 1), 9, field, out),
            "MON" => write_word(name(&MONTHS, self.month - 1).get(..3).unwrap_or_default(), 0, field, out),
            "DAY" => write_word(name(&DAYS, at.day_of_week()), 9, field, out),
            "DY" => write_word(name(&DAYS, at.day_of_week()).get(..3).unwrap_or_default(), 0, field, out),
            "D" => number(at.day_of_week() + 1, 0, out),
            "ID" => number(at.iso_day_of_week(), 0, out),
            "IDDD" => number((at.iso_week().1 - 1) * 7 + at.iso_day_of_week(), 3, out),
            "IW" => number(at.iso_week().1, 2, out),
            "IYYY" => number(iso_year(), 4, out),
            "IYY" => number(iso_year() % 1_000, 3, out),
            "IY" => number(iso_year() % 100, 2, out),
            "I" => number(iso_year() % 10, 1, out),
            "J" => number(at.julian_day(), 0, out),
            "AD" | "BC" => write_word(if at.civil.year > 0 { "AD" } else { "BC" }, 0, field, out),
            "A.D." | "B.C." => write_word(if at.civil.year > 0 { "A.D." } else { "B.C." }, 0, field, out),
            "TZ" if self.has_zone => write_word("UTC", 0, field, out),
            "TZH" | "OF" => out.push_str("+00"),
            "TZM" => out.push_str("00"),
            _ => {}
        }
    }
}

const ROMAN: [&str; 12] = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];

/// Appends a word in the field's case, filled up with spaces unless `FM` is before it.
fn write_word(word: &str, width: usize, field: Field, out: &mut String) {
    match field.case {
        Case::Upper => out.extend(word.chars().map(|c| c.to_ascii_uppercase())),
        Case::Lower => out.extend(word.chars().map(|c| c.to_ascii_lowercase())),
        Case::Capital => out.push_str(word),
    }
    if !field.is_bare {
        out.extend(std::iter::repeat_n(' ', width.saturating_sub(word.len())));
    }
}

/// Appends a number of at least so many characters, its sign among them, and the ending of an ordinal number.
fn write_number(value: i64, width: usize, ordinal: Option<Case>, out: &mut String) {
    let digits = value.unsigned_abs().to_string();
    let width = if value < 0 { width.saturating_sub(1).max(usize::from(width == 2) * 2) } else { width };
    if value < 0 {
        out.push('-');
    }
    out.extend(std::iter::repeat_n('0', width.saturating_sub(digits.len())));
    out.push_str(&digits);
    let Some(case) = ordinal else { return };
    let (tens, ones) = (value.unsigned_abs() / 10 % 10, value.unsigned_abs() % 10);
    let ending = match (tens, ones) {
        (1, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    match case {
        Case::Lower | Case::Capital => out.push_str(ending),
        Case::Upper => out.push_str(&ending.to_ascii_uppercase()),
    }
}
