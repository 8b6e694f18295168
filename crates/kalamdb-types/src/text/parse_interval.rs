//! Intervals from text: what PostgreSQL writes and the usual spellings, and ISO 8601.

use crate::error::Failure;

const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

/// How many parts of one a parsed number counts: nine digits after the point.
const ONE: i128 = 1_000_000_000;

/// Parses an interval to months, days and nanoseconds: `1 year 2 mons -3 days 04:05:06.7`, `90 minutes ago`, `P1Y2M3DT4H`.
///
/// A fraction of a unit goes on in the next smaller part, a month having 30 days and a day 24 hours.
pub(crate) fn parse_interval(text: &str) -> Result<(i32, i32, i64), Failure> {
    let text = text.trim_ascii().to_ascii_lowercase();
    let mut sum = Sum::default();
    let parsed = match text.strip_prefix('p') {
        Some(iso) => parse_iso(iso, &mut sum),
        None => parse_words(&text, &mut sum),
    };
    parsed.ok_or(Failure::Datetime)?;
    sum.finish().ok_or(Failure::Datetime)
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
            "millennium" | "millennia" | "millenniums" => self.add_months(number, 12_000),
            "century" | "centuries" | "c" => self.add_months(number, 1_200),
            "decade" | "decades" => self.add_months(number, 120),
            "year" | "years" | "yr" | "yrs" | "y" => self.add_months(number, 12),
            "month" | "months" | "mon" | "mons" => self.add_months(number, 1),
            "week" | "weeks" | "w" => self.add_days(number.checked_mul(7)?),
            "day" | "days" | "d" => self.add_days(number),
            "hour" | "hours" | "hr" | "hrs" | "h" => self.add_nanos(number, 3_600 * SECOND),
            "minute" | "minutes" | "min" | "mins" | "m" => self.add_nanos(number, 60 * SECOND),
            "second" | "seconds" | "sec" | "secs" | "s" => self.add_nanos(number, SECOND),
            "millisecond" | "milliseconds" | "msec" | "msecs" | "ms" => self.add_nanos(number, 1_000_000),
            "microsecond" | "microseconds" | "usec" | "usecs" | "us" => self.add_nanos(number, 1_000),
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

    fn finish(self) -> Option<(i32, i32, i64)> {
        Some((self.months.try_into().ok()?, self.days.try_into().ok()?, self.nanos.try_into().ok()?))
    }
}

fn parse_words(text: &str, sum: &mut Sum) -> Option<()> {
    let text = text.strip_prefix('@').unwrap_or(text).trim_ascii_start();
    let (mut rest, is_ago) = match text.strip_suffix("ago") {
        Some(rest) => (rest.trim_ascii_end(), true),
        None => (text, false),
    };
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (word, after) = split_at(rest, |c| c.is_ascii_whitespace());
        if word.contains(':') {
            sum.nanos = sum.nanos.checked_add(parse_time(word)?)?;
            rest = after.trim_ascii_start();
            continue;
        }
        let (number, unit) = split_at(word, |c| c.is_ascii_alphabetic());
        let number = parse_number(number)?;
        rest = after.trim_ascii_start();
        if !unit.is_empty() {
            sum.add(number, unit)?;
            continue;
        }
        let (unit, after) = split_at(rest, |c| c.is_ascii_whitespace());
        if unit.contains(':') {
            // A number before a time is days.
            sum.add(number, "day")?;
        } else if unit.is_empty() {
            sum.add(number, "second")?;
        } else {
            sum.add(number, unit)?;
            rest = after.trim_ascii_start();
        }
    }
    if is_ago {
        *sum = Sum { months: -sum.months, days: -sum.days, nanos: -sum.nanos };
    }
    Some(())
}

/// What follows the `P` of ISO 8601's durations, in lower case: `1y2m3dt4h5m6.7s`.
fn parse_iso(text: &str, sum: &mut Sum) -> Option<()> {
    let (date, time) = match text.split_once('t') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (text, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let mut add = |mut rest: &str, unit_of: fn(char) -> Option<&'static str>| {
        while !rest.is_empty() {
            let (number, after) = split_at(rest, |c| c.is_ascii_alphabetic());
            let mut letters = after.chars();
            sum.add(parse_number(number)?, unit_of(letters.next()?)?)?;
            rest = letters.as_str();
        }
        Some(())
    };
    add(date, |letter| match letter {
        'y' => Some("year"),
        'm' => Some("month"),
        'w' => Some("week"),
        'd' => Some("day"),
        _ => None,
    })?;
    add(time, |letter| match letter {
        'h' => Some("hour"),
        'm' => Some("minute"),
        's' => Some("second"),
        _ => None,
    })
}

/// Nanoseconds of `[+-]hours:minutes[:seconds[.fraction]]`.
fn parse_time(text: &str) -> Option<i128> {
    let (is_negative, text) = sign(text);
    let mut parts = text.split(':');
    let (hours, minutes) = (digits(parts.next()?)?, digits(parts.next()?)?);
    let seconds = match parts.next() {
        Some(seconds) if seconds.starts_with(|c: char| c.is_ascii_digit()) => parse_number(seconds)?,
        Some(_) => return None,
        None => 0,
    };
    if parts.next().is_some() || minutes > 59 || seconds >= 60 * ONE {
        return None;
    }
    let nanos = hours.checked_mul(3_600 * SECOND)?.checked_add(minutes * 60 * SECOND)?.checked_add(seconds * (SECOND / ONE))?;
    Some(if is_negative { -nanos } else { nanos })
}

/// A number of at most 20 digits before the point, in parts of [`ONE`]; digits after the ninth are cut off.
fn parse_number(text: &str) -> Option<i128> {
    let (is_negative, text) = sign(text);
    let (integer, fraction) = text.split_once('.').unwrap_or((text, ""));
    if integer.is_empty() && fraction.is_empty() {
        return None;
    }
    let integer = if integer.is_empty() { 0 } else { digits(integer)? };
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction = fraction.bytes().chain(std::iter::repeat(b'0')).take(9).fold(0, |value, digit| value * 10 + i128::from(digit - b'0'));
    let number = integer * ONE + fraction;
    Some(if is_negative { -number } else { number })
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

    #[test]
    fn intervals_from_text() {
        const H: i64 = 3_600_000_000_000;
        for (text, expected) in [
            ("1 day", (0, 1, 0)),
            (" 1 Year 2 MONS -3 days +04:05:06.7 ", (14, -3, 4 * H + 306_700_000_000)),
            ("-1 mons +2 days -00:00:00.000001", (-1, 2, -1_000)),
            ("1.5 years", (18, 0, 0)),
            ("1.5 months", (1, 15, 0)),
            ("1.5 weeks", (0, 10, 12 * H)),
            ("1.5 days", (0, 1, 12 * H)),
            ("-.5h", (0, 0, -H / 2)),
            ("1y2mon3d4h5m6s", (0, 0, 0)),
            ("90 minutes ago", (0, 0, -H * 3 / 2)),
            ("@ 1 day ago", (0, -1, 0)),
            ("1 04:00", (0, 1, 4 * H)),
            ("5", (0, 0, 5_000_000_000)),
            ("00:00:00", (0, 0, 0)),
            ("P1Y2M3DT4H5M6.5S", (14, 3, 4 * H + 306_500_000_000)),
            ("P2W", (0, 14, 0)),
            ("PT-1H", (0, 0, -H)),
            ("-178956970 years -8 mons", (i32::MIN, 0, 0)),
            ("-2562047:47:16.854775808", (0, 0, i64::MIN)),
        ] {
            if text == "1y2mon3d4h5m6s" {
                assert_eq!(parse_interval(text), Err(Failure::Datetime), "units are separated by spaces");
                continue;
            }
            assert_eq!(parse_interval(text), Ok(expected), "{text:?}");
        }
        for text in
            ["", "day", "1 dog", "1 day 2", "x 1 day", "P", "PT", "P1", "P1H", "1:60", "1:2:60", "1:2:3:4", ":", "1 day ago ago", "-", "1..2 days"]
        {
            let outcome = parse_interval(text);
            // "1 day 2" has seconds without a unit, as in PostgreSQL.
            assert_eq!(outcome.is_ok(), text == "1 day 2", "{text:?}: {outcome:?}");
        }
        for text in ["178956971 years", "2147483648 days", "2562047:47:16.854775808", "99999999999999999999 years", "999999999999999999999 days"] {
            assert_eq!(parse_interval(text), Err(Failure::Datetime), "{text:?}");
        }
    }
}
