//! Intervals from text: what PostgreSQL writes and the usual spellings, and ISO 8601.

use crate::error::Failure;

const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

/// How many parts of one a parsed number counts: nine digits after the point.
const ONE: i128 = 1_000_000_000;

/// The units of an interval's fields, from the largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IntervalField {
    /// Twelve months.
    Year,
    /// A month.
    Month,
    /// A day.
    Day,
    /// 3,600 seconds.
    Hour,
    /// 60 seconds.
    Minute,
    /// A second.
    Second,
}

/// The fields of `INTERVAL '...' HOUR TO SECOND`: the largest and the smallest, and the digits that are kept of its
/// seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntervalFields {
    /// The largest field.
    pub from: IntervalField,
    /// The smallest field. A number without a unit counts these, and what is smaller is cut off.
    pub to: IntervalField,
}

/// Parses an interval to months, days and nanoseconds: `1 year 2 mons -3 days 04:05:06.7`, `90 minutes ago`, `1-2`,
/// `P1Y2M3DT4H`.
///
/// A fraction of a unit goes on in the next smaller part, a month having 30 days and a day 24 hours.
pub(crate) fn parse_interval(text: &str) -> Result<(i32, i32, i64), Failure> {
    parse(text, None)
}

/// Parses an interval as `INTERVAL 'text' fields` does.
///
/// # Errors
/// Whether the text is an interval that does not fit (`true`), or none.
pub fn parse_interval_of(text: &str, fields: Option<IntervalFields>) -> Result<(i32, i32, i64), bool> {
    parse(text, fields).map_err(|failure| failure == Failure::DatetimeRange)
}

fn parse(text: &str, fields: Option<IntervalFields>) -> Result<(i32, i32, i64), Failure> {
    let text = text.trim_ascii().to_ascii_lowercase();
    let mut sum = Sum::default();
    match text.strip_prefix('p') {
        Some(iso) => parse_iso(iso, &mut sum)?,
        None => parse_words(&with_signs_joined(&text), fields, &mut sum)?,
    }
    if let Some(fields) = fields {
        sum.cut_off(fields.to);
    }
    sum.finish().ok_or(Failure::DatetimeRange)
}

/// The text with each sign right before its number: `1 month - 1 day`.
fn with_signs_joined(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        joined.push(c);
        let follows_word = joined
            .trim_end_matches(['+', '-'])
            .trim_ascii_end()
            .chars()
            .next_back()
            .is_none_or(|c| c.is_ascii_alphabetic() || c == '@');
        if matches!(c, '+' | '-') && follows_word {
            while rest.next_if(char::is_ascii_whitespace).is_some() {}
        }
    }
    joined
}

#[derive(Debug, Default)]
struct Sum {
    months: i128,
    days: i128,
    nanos: i128,
}

impl Sum {
    /// Adds `number` (in parts of [`ONE`]) units; `None` if there is no such unit.
    fn add(&mut self, number: i128, unit: &str) -> Option<()> {
        match unit {
            "millennium" | "millennia" | "millenniums" | "mil" | "mils" => self.add_months(number, 12_000),
            "century" | "centuries" | "cent" | "c" => self.add_months(number, 1_200),
            "decade" | "decades" | "dec" | "decs" => self.add_months(number, 120),
            "year" | "years" | "yr" | "yrs" | "y" => self.add_months(number, 12),
            "month" | "months" | "mon" | "mons" => self.add_months(number, 1),
            "week" | "weeks" | "w" => self.add_days(number.checked_mul(7)?),
            "day" | "days" | "d" => self.add_days(number),
            "hour" | "hours" | "hr" | "hrs" | "h" => self.add_nanos(number, 3_600 * SECOND),
            "minute" | "minutes" | "min" | "mins" | "m" => self.add_nanos(number, 60 * SECOND),
            "second" | "seconds" | "sec" | "secs" | "s" => self.add_nanos(number, SECOND),
            "millisecond" | "milliseconds" | "msec" | "msecs" | "msecond" | "mseconds" | "ms" => {
                self.add_nanos(number, 1_000_000)
            }
            "microsecond" | "microseconds" | "usec" | "usecs" | "usecond" | "useconds" | "us" => {
                self.add_nanos(number, 1_000)
            }
            "nanosecond" | "nanoseconds" | "ns" => self.add_nanos(number, 1),
            _ => None,
        }
    }

    fn add_months(&mut self, number: i128, months: i128) -> Option<()> {
        let number = number.checked_mul(months)?;
        self.months = self.months.checked_add(number / ONE)?;
        self.add_days((number % ONE) * 30)
    }

    fn add_days(&mut self, number: i128) -> Option<()> {
        self.days = self.days.checked_add(number / ONE)?;
        self.add_nanos(number % ONE, DAY)
    }

    fn add_nanos(&mut self, number: i128, nanos: i128) -> Option<()> {
        self.nanos = self.nanos.checked_add(number.checked_mul(nanos)? / ONE)?;
        Some(())
    }

    /// Cuts off what is smaller than a field.
    fn cut_off(&mut self, smallest: IntervalField) {
        let unit = match smallest {
            IntervalField::Year => {
                self.months -= self.months % 12;
                self.days = 0;
                i128::MAX
            }
            IntervalField::Month => {
                self.days = 0;
                i128::MAX
            }
            IntervalField::Day => i128::MAX,
            IntervalField::Hour => 3_600 * SECOND,
            IntervalField::Minute => 60 * SECOND,
            IntervalField::Second => 1,
        };
        self.nanos -= self.nanos % unit;
    }

    fn finish(self) -> Option<(i32, i32, i64)> {
        Some((self.months.try_into().ok()?, self.days.try_into().ok()?, self.nanos.try_into().ok()?))
    }
}

fn parse_words(text: &str, fields: Option<IntervalFields>, sum: &mut Sum) -> Result<(), Failure> {
    let text = text.strip_prefix('@').unwrap_or(text).trim_ascii_start();
    let (mut rest, is_ago) = match text.strip_suffix("ago") {
        Some(rest) => (rest.trim_ascii_end(), true),
        None => (text, false),
    };
    if rest.is_empty() {
        return Err(Failure::Datetime);
    }
    // Each unit may stand once, and a number without one at the end.
    let mut seen: Vec<&str> = Vec::new();
    while !rest.is_empty() {
        let (word, after) = split_at(rest, |c| c.is_ascii_whitespace());
        let after = after.trim_ascii_start();
        if word.contains(':') {
            once(&mut seen, "time")?;
            let is_short = fields.is_some_and(|fields| fields.from == IntervalField::Minute);
            let nanos = parse_time(word, is_short)?;
            sum.nanos = sum.nanos.checked_add(nanos).ok_or(Failure::DatetimeRange)?;
            rest = after;
            continue;
        }
        if let Some(months) = parse_years_and_months(word)? {
            once(&mut seen, "year")?;
            sum.months = sum.months.checked_add(months).ok_or(Failure::DatetimeRange)?;
            rest = after;
            continue;
        }
        let (number, _) = split_at(rest, |c| c.is_ascii_alphabetic() || c.is_ascii_whitespace());
        let after_number = rest.get(number.len()..).unwrap_or_default();
        let number = parse_number(number)?;
        let after_spaces = after_number.trim_ascii_start();
        let (unit, after_unit) = split_at(after_spaces, |c| !c.is_ascii_alphabetic());
        let before_time = split_at(after_spaces, |c| c.is_ascii_whitespace()).0.contains(':');
        let unit = if !unit.is_empty() && !before_time {
            rest = after_unit.trim_ascii_start();
            unit
        } else {
            rest = after_spaces;
            match fields {
                // A number before a time is days.
                _ if before_time => "day",
                // `1 2` of days and hours: all numbers but the last count the larger field.
                Some(fields) if rest.is_empty() => unit_of(fields.to),
                Some(fields) => unit_of(fields.from),
                // After years and months too, and a last one is seconds.
                None if rest.is_empty() => "second",
                None => return Err(Failure::Datetime),
            }
        };
        once(&mut seen, unit)?;
        sum.add(number, unit).ok_or(Failure::Datetime)?;
    }
    if is_ago {
        *sum = Sum { months: -sum.months, days: -sum.days, nanos: -sum.nanos };
    }
    Ok(())
}

fn unit_of(field: IntervalField) -> &'static str {
    match field {
        IntervalField::Year => "year",
        IntervalField::Month => "month",
        IntervalField::Day => "day",
        IntervalField::Hour => "hour",
        IntervalField::Minute => "minute",
        IntervalField::Second => "second",
    }
}

/// Refuses a unit that was there before.
fn once<'a>(seen: &mut Vec<&'a str>, unit: &'a str) -> Result<(), Failure> {
    if seen.contains(&unit) {
        return Err(Failure::Datetime);
    }
    seen.push(unit);
    Ok(())
}

/// Months of `[+-]years-months`; `None` if the word is something else.
fn parse_years_and_months(word: &str) -> Result<Option<i128>, Failure> {
    let (is_negative, digits_of_both) = sign(word);
    let Some((years, months)) = digits_of_both.split_once('-') else { return Ok(None) };
    let months_of = || digits(years)?.checked_mul(12)?.checked_add(digits(months)?);
    let total = months_of().ok_or(Failure::Datetime)?;
    if digits(months).is_none_or(|months| months > 11) {
        return Err(Failure::DatetimeRange);
    }
    Ok(Some(if is_negative { -total } else { total }))
}

/// What follows the `P` of ISO 8601's durations, in lower case: `1y2m3dt4h5m6.7s`, or `0001-02-03t04:05:06`.
fn parse_iso(text: &str, sum: &mut Sum) -> Result<(), Failure> {
    let (date, time) = match text.split_once('t') {
        Some((_, "")) => return Err(Failure::Datetime),
        Some((date, time)) => (date, time),
        None => (text, ""),
    };
    if date.is_empty() && time.is_empty() {
        return Err(Failure::Datetime);
    }
    if let [years, months, days] = date.split('-').collect::<Vec<_>>().as_slice() {
        for (number, unit) in [(years, "year"), (months, "month"), (days, "day")] {
            let number = digits(number).ok_or(Failure::Datetime)?;
            sum.add(number * ONE, unit).ok_or(Failure::Datetime)?;
        }
    } else {
        parse_designators(date, sum, |letter| match letter {
            'y' => Some("year"),
            'm' => Some("month"),
            'w' => Some("week"),
            'd' => Some("day"),
            _ => None,
        })
        .ok_or(Failure::Datetime)?;
    }
    if time.contains(':') {
        sum.nanos = sum.nanos.checked_add(parse_time(time, false)?).ok_or(Failure::DatetimeRange)?;
        return Ok(());
    }
    let units = |letter| match letter {
        'h' => Some("hour"),
        'm' => Some("minute"),
        's' => Some("second"),
        _ => None,
    };
    parse_designators(time, sum, units).ok_or(Failure::Datetime)
}

/// Numbers, each with a letter behind it.
fn parse_designators(mut text: &str, sum: &mut Sum, unit_of: fn(char) -> Option<&'static str>) -> Option<()> {
    while !text.is_empty() {
        let (number, after) = split_at(text, |c| c.is_ascii_alphabetic());
        let mut letters = after.chars();
        sum.add(parse_number(number).ok()?, unit_of(letters.next()?)?)?;
        text = letters.as_str();
    }
    Some(())
}

/// Nanoseconds of `[+-]hours:minutes[:seconds[.fraction]]`, or of minutes and seconds if the first field is minutes.
fn parse_time(text: &str, begins_with_minutes: bool) -> Result<i128, Failure> {
    let (is_negative, text) = sign(text);
    let mut parts = text.split(':');
    let mut next = || parts.next();
    let first = next().and_then(digits).ok_or(Failure::Datetime)?;
    let second = next().ok_or(Failure::Datetime)?;
    let third = next();
    if next().is_some() {
        return Err(Failure::Datetime);
    }
    let (hours, minutes, seconds) = match third {
        Some(seconds) => (first, digits(second).ok_or(Failure::Datetime)?, seconds),
        // `1:02.5` is minutes and seconds too.
        None if begins_with_minutes || second.contains('.') => (0, first, second),
        None => (first, digits(second).ok_or(Failure::Datetime)?, "0"),
    };
    if !seconds.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(Failure::Datetime);
    }
    let seconds = parse_number(seconds)?;
    if minutes > 59 || seconds >= 60 * ONE {
        return Err(Failure::DatetimeRange);
    }
    let nanos = hours
        .checked_mul(3_600 * SECOND)
        .and_then(|nanos| nanos.checked_add(minutes * 60 * SECOND + seconds * (SECOND / ONE)));
    let nanos = nanos.ok_or(Failure::DatetimeRange)?;
    Ok(if is_negative { -nanos } else { nanos })
}

/// A number of at most 20 digits before the point, in parts of [`ONE`]; digits after the ninth are cut off.
fn parse_number(text: &str) -> Result<i128, Failure> {
    let (is_negative, text) = sign(text);
    let (integer, fraction) = text.split_once('.').unwrap_or((text, ""));
    if integer.is_empty() && fraction.is_empty() {
        return Err(Failure::Datetime);
    }
    let integer = if integer.is_empty() { 0 } else { digits(integer).ok_or(Failure::Datetime)? };
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Failure::Datetime);
    }
    let fraction = fraction
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(9)
        .fold(0, |value, digit| value * 10 + i128::from(digit - b'0'));
    let number = integer * ONE + fraction;
    Ok(if is_negative { -number } else { number })
}

fn digits(text: &str) -> Option<i128> {
    ((1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// The text before the first such character, and from there on.
fn split_at(text: &str, is_end: impl Fn(char) -> bool) -> (&str, &str) {
    text.find(is_end).and_then(|end| text.split_at_checked(end)).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const H: i64 = 3_600_000_000_000;

    #[test]
    fn intervals_from_text() {
        for (text, expected) in [
            ("1 day", (0, 1, 0)),
            (" 1 Year 2 MONS -3 days +04:05:06.7 ", (14, -3, 4 * H + 306_700_000_000)),
            ("-1 mons +2 days -00:00:00.000001", (-1, 2, -1_000)),
            ("1.5 years", (18, 0, 0)),
            ("1.5 months", (1, 15, 0)),
            ("1.5 weeks", (0, 10, 12 * H)),
            ("1.5 days", (0, 1, 12 * H)),
            ("-.5h", (0, 0, -H / 2)),
            ("1y2mon3d4h5m6s", (14, 3, 4 * H + 306_000_000_000)),
            ("1h30m", (0, 0, H * 3 / 2)),
            ("90 minutes ago", (0, 0, -H * 3 / 2)),
            ("@ 1 day ago", (0, -1, 0)),
            ("1 04:00", (0, 1, 4 * H)),
            ("1 month - 1 day", (1, -1, 0)),
            ("- 1 day + 02:00", (0, -1, 2 * H)),
            ("@ - 3 hours ago", (0, 0, 3 * H)),
            ("1 day 05:30", (0, 1, 5 * H + H / 2)),
            ("5", (0, 0, 5_000_000_000)),
            ("1 day 2", (0, 1, 2_000_000_000)),
            ("1-2", (14, 0, 0)),
            ("-1-2", (-14, 0, 0)),
            ("+1-2 -3 +4:05:06", (14, -3, 4 * H + 306_000_000_000)),
            ("00:00:00", (0, 0, 0)),
            ("100:00", (0, 0, 100 * H)),
            ("P1Y2M3DT4H5M6.5S", (14, 3, 4 * H + 306_500_000_000)),
            ("P0001-02-03T04:05:06", (14, 3, 4 * H + 306_000_000_000)),
            ("P2W", (0, 14, 0)),
            ("PT-1H", (0, 0, -H)),
            ("-178956970 years -8 mons", (i32::MIN, 0, 0)),
            ("-2562047:47:16.854775808", (0, 0, i64::MIN)),
        ] {
            assert_eq!(parse_interval(text), Ok(expected), "{text:?}");
        }
        for text in [
            "",
            "day",
            "1 dog",
            "x 1 day",
            "P",
            "PT",
            "P1",
            "P1H",
            "1:2:3:4",
            ":",
            "1 day ago ago",
            "-",
            "1..2 days",
            "2 1 day",
            "1 day 1 day",
            "1-x",
            "1 day ago 1 hour",
        ] {
            assert_eq!(parse_interval(text), Err(Failure::Datetime), "{text:?}");
        }
        for text in [
            "178956971 years",
            "2147483648 days",
            "2562047:47:16.854775808",
            "99999999999999999999 years",
            "1:60",
            "1:2:60",
            "1-12",
        ] {
            assert_eq!(parse_interval(text), Err(Failure::DatetimeRange), "{text:?}");
        }
        assert_eq!(parse_interval("999999999999999999999 days"), Err(Failure::Datetime));
    }

    #[test]
    fn intervals_of_fields() {
        use IntervalField as F;
        for (text, from, to, expected) in [
            ("1", F::Day, F::Day, (0, 1, 0)),
            ("1.5", F::Day, F::Day, (0, 1, 0)),
            ("1-2", F::Year, F::Month, (14, 0, 0)),
            ("1 2", F::Day, F::Hour, (0, 1, 2 * H)),
            ("1:02", F::Minute, F::Second, (0, 0, 62_000_000_000)),
            ("1:02", F::Hour, F::Minute, (0, 0, H + 120_000_000_000)),
            ("2.5", F::Hour, F::Hour, (0, 0, 2 * H)),
            ("90.5", F::Second, F::Second, (0, 0, 90_500_000_000)),
            ("1 year 2 months 3 days", F::Year, F::Year, (12, 0, 0)),
            ("1 day 12:30:45.678", F::Hour, F::Minute, (0, 1, 12 * H + H / 2)),
        ] {
            assert_eq!(parse_interval_of(text, Some(IntervalFields { from, to })), Ok(expected), "{text:?}");
        }
    }
}
