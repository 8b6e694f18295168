//! `to_date` and `to_timestamp` with a template.

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::Field as ArrowField;
use datafusion::logical_expr::ScalarFunctionArgs;
use kalamdb_types::calendar::{Civil, DAY, SECOND};
use kalamdb_types::{Source, SqlType, coerce};

use super::template::{DAYS, Field, MONTHS, Part, parts};
use crate::error::{Error, ErrorKind, Result};
use crate::functions::Texts;
use crate::functions::datetime::{each_timestamp, out_of_range};

/// Reads the first argument by the template that the second is.
pub(crate) fn parse_with(args: &ScalarFunctionArgs, target: &SqlType) -> Result<ArrayRef> {
    let (texts, templates) = (Texts::of(args, 0)?, Texts::of(args, 1)?);
    let one = match &templates {
        Texts::One(Some(template)) => Some(parts(template)?),
        _ => None,
    };
    let timestamps = each_timestamp(args, |row| match (texts.get(row), &one, templates.get(row)) {
        (Some(text), Some(template), _) => parse(text, template).map(Some),
        (Some(text), None, Some(template)) => parse(text, &parts(template)?).map(Some),
        _ => Ok(None),
    })?;
    let field = ArrowField::new("", timestamps.data_type().clone(), true);
    Ok(coerce(&timestamps, &field, target, Source::Sql)?)
}

/// What the fields of a text say.
#[derive(Debug, Default)]
struct Read {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    julian: Option<i64>,
    hour: i64,
    is_half_day: bool,
    is_afternoon: Option<bool>,
    is_before_christ: bool,
    minute: i64,
    second: i64,
    micros: i64,
    seconds_of_day: Option<i64>,
}

fn parse(text: &str, template: &[Part]) -> Result<i64> {
    let mut read = Read::default();
    let mut rest = text.trim_start();
    for (index, part) in template.iter().enumerate() {
        match part {
            // Whatever separates stands for whatever else does.
            Part::Literal(c) if !c.is_alphanumeric() => rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric()),
            Part::Literal(_) => {
                let mut chars = rest.chars();
                chars.next();
                rest = chars.as_str();
            }
            Part::Field(field) => {
                let is_followed = matches!(template.get(index + 1), Some(Part::Field(_)));
                rest = read.field(*field, rest.trim_start(), is_followed)?;
            }
        }
    }
    read.finish().map_err(|error| error.with_detail(format!("in {text:?}")))
}

impl Read {
    /// Reads one field off a text, and gives what follows; digits end where the field does if another follows at once.
    fn field<'a>(&mut self, field: Field, text: &'a str, is_followed: bool) -> Result<&'a str> {
        let invalid =
            || Error::new(ErrorKind::InvalidDatetimeFormat, format!("invalid value {text:?} for {:?}", field.name));
        let number = |width: usize| {
            let limit = if is_followed { width } else { 18 };
            let n_digits = text.bytes().take(limit).take_while(u8::is_ascii_digit).count();
            let (digits, rest) = text.split_at_checked(n_digits).ok_or_else(invalid)?;
            Ok::<_, Error>((digits.parse::<i64>().map_err(|_| invalid())?, n_digits, rest))
        };
        let word = |words: &[&str], n_letters: usize| {
            let found = words.iter().enumerate().find_map(|(index, word)| {
                let name = word.get(..n_letters.min(word.len()))?;
                text.get(..name.len())?
                    .eq_ignore_ascii_case(name)
                    .then(|| (index, text.get(name.len()..).unwrap_or_default()))
            });
            found.ok_or_else(invalid)
        };
        let fraction = |places: u32| {
            let (value, n_digits, rest) = number(places as usize)?;
            let n_digits = u32::try_from(n_digits).map_err(|_| invalid())?;
            let micros =
                if n_digits <= 6 { value * 10_i64.pow(6 - n_digits) } else { value / 10_i64.pow(n_digits - 6) };
            Ok::<_, Error>((micros, rest))
        };
        let value;
        let rest;
        match field.name {
            "YYYY" | "YYY" | "YY" | "Y" | "Y,YYY" => {
                if field.name == "Y,YYY" {
                    let (thousands, after) = text.split_once(',').ok_or_else(invalid)?;
                    let (ones, _, after) = {
                        let (digits, after) = after.split_at_checked(3).ok_or_else(invalid)?;
                        (digits.parse::<i64>().map_err(|_| invalid())?, 3, after)
                    };
                    let thousands: i64 = thousands.parse().map_err(|_| invalid())?;
                    self.year =
                        Some(thousands.checked_mul(1_000).and_then(|year| year.checked_add(ones)).ok_or_else(invalid)?);
                    return Ok(after);
                }
                let (year, n_digits, after) = number(field.name.len())?;
                self.year = Some(if n_digits < 4 { whole_year(year) } else { year });
                rest = after;
            }
            "MM" => {
                (value, _, rest) = number(2)?;
                self.month = Some(value);
            }
            "MONTH" | "MON" => {
                let (month, after) = word(&MONTHS, if field.name == "MON" { 3 } else { usize::MAX })?;
                self.month = Some(month as i64 + 1);
                rest = after;
            }
            "DD" => {
                (value, _, rest) = number(2)?;
                self.day = Some(value);
            }
            "DDD" => {
                (value, _, rest) = number(3)?;
                self.day_of_year = Some(value);
            }
            "J" => {
                (value, _, rest) = number(7)?;
                self.julian = Some(value);
            }
            // The day of the week is what the date says.
            "DAY" | "DY" => (_, rest) = word(&DAYS, if field.name == "DY" { 3 } else { usize::MAX })?,
            "D" | "ID" | "Q" => (_, _, rest) = number(1)?,
            "HH24" => (self.hour, _, rest) = number(2)?,
            "HH12" | "HH" => {
                (self.hour, _, rest) = number(2)?;
                self.is_half_day = true;
            }
            "MI" => (self.minute, _, rest) = number(2)?,
            "SS" => (self.second, _, rest) = number(2)?,
            "MS" | "FF3" => (self.micros, rest) = fraction(3)?,
            "US" | "FF6" => (self.micros, rest) = fraction(6)?,
            "FF1" => (self.micros, rest) = fraction(1)?,
            "FF2" => (self.micros, rest) = fraction(2)?,
            "FF4" => (self.micros, rest) = fraction(4)?,
            "FF5" => (self.micros, rest) = fraction(5)?,
            "SSSS" | "SSSSS" => {
                (value, _, rest) = number(5)?;
                self.seconds_of_day = Some(value);
            }
            "AM" | "PM" | "A.M." | "P.M." => {
                let names = if field.name.len() == 2 { ["am", "pm"] } else { ["a.m.", "p.m."] };
                let (half, after) = word(&names, usize::MAX)?;
                self.is_afternoon = Some(half == 1);
                rest = after;
            }
            "AD" | "BC" | "A.D." | "B.C." => {
                let names = if field.name.len() == 2 { ["ad", "bc"] } else { ["a.d.", "b.c."] };
                let (era, after) = word(&names, usize::MAX)?;
                self.is_before_christ = era == 1;
                rest = after;
            }
            "FX" => rest = text,
            other => return Err(Error::unsupported(format!("reading the pattern {other} of a template"))),
        }
        Ok(rest)
    }

    fn finish(self) -> Result<i64> {
        let field_out_of_range = || out_of_range("date/time field value");
        // Where nothing is said, PostgreSQL's year is 1 BC.
        let mut year = self.year.unwrap_or(0);
        if self.is_before_christ {
            year = 1 - year;
        }
        if year.abs() > 6_000_000 {
            return Err(field_out_of_range());
        }
        let days = match (self.julian, self.day_of_year) {
            (Some(julian), _) => julian - 2_440_588,
            (None, Some(day)) if self.month.is_none() && (1..=366).contains(&day) => {
                Civil { year, month: 1, day: 1 }.to_days() + day - 1
            }
            _ => {
                let civil = Civil { year, month: self.month.unwrap_or(1), day: self.day.unwrap_or(1) };
                if !civil.exists() {
                    return Err(field_out_of_range());
                }
                civil.to_days()
            }
        };
        let mut hour = self.hour;
        if self.is_half_day || self.is_afternoon.is_some() {
            if self.is_half_day && !(1..=12).contains(&hour) {
                return Err(Error::new(
                    ErrorKind::InvalidDatetimeFormat,
                    format!("hour {hour} is invalid for the 12-hour clock"),
                ));
            }
            hour = match self.is_afternoon {
                Some(true) if hour < 12 => hour + 12,
                Some(false) if hour == 12 => 0,
                _ => hour,
            };
        }
        if hour > 23 || self.minute > 59 || self.second > 59 {
            return Err(field_out_of_range());
        }
        let seconds = self.seconds_of_day.unwrap_or((hour * 60 + self.minute) * 60 + self.second);
        if seconds >= DAY / SECOND {
            return Err(field_out_of_range());
        }
        let micros = i128::from(days) * i128::from(DAY) + i128::from(seconds * SECOND + self.micros);
        i64::try_from(micros).map_err(|_| out_of_range("timestamp"))
    }
}

/// A year of fewer than four digits: that nearest to 2020.
fn whole_year(year: i64) -> i64 {
    match year {
        0..70 | 100..520 => year + 2_000,
        70..100 => year + 1_900,
        520..1_000 => year + 1_000,
        _ => year,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_panic() {
        for template in ["YYYY-MM-DD", "Y,YYY Mon Day", "HH12:MI AM", "J", "DDD", "SSSS US MS"] {
            let template = parts(template).unwrap();
            for text in [
                "",
                "-",
                "999999999999999999",
                "\u{fc},\u{fc}",
                "1,\u{fc}",
                "2024\u{fc}03",
                "M\u{e4}y",
                "12:\u{e4} PM",
                "99999999999999999999",
            ] {
                let _ = parse(text, &template);
            }
        }
    }
}
