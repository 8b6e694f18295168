//! Dates and times from text: ISO 8601 and what PostgreSQL writes.

use crate::{
    calendar::{Civil, DAY, SECOND},
    error::Failure,
};

/// What a date or timestamp text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Days since 1970-01-01, as written.
    pub(crate) days: i64,
    /// Microseconds since midnight, as written; 0 if the text is a date.
    pub(crate) micros: i64,
    /// How far the written time is ahead of UTC, in seconds; `None` without a zone.
    pub(crate) offset_secs: Option<i64>,
}

impl Moment {
    /// Microseconds since the epoch of the date and time as written, whatever the zone.
    pub(crate) fn local_micros(self) -> Result<i64, Failure> {
        self.micros_less(0)
    }

    /// Microseconds since the epoch of the point in time; without a zone it is UTC.
    pub(crate) fn utc_micros(self) -> Result<i64, Failure> {
        self.micros_less(self.offset_secs.unwrap_or(0) * SECOND)
    }

    fn micros_less(self, offset: i64) -> Result<i64, Failure> {
        // Midnight of the first day is before what 64 bits hold, though the moment itself may not be.
        let micros = i128::from(self.days) * i128::from(DAY) + i128::from(self.micros) - i128::from(offset);
        i64::try_from(micros).map_err(|_| Failure::DatetimeRange)
    }
}

/// Parses a date or a timestamp: `2024-01-31`, `2024-01-31 10:00:00.123456+02:00`, `2024-01-31T10:00Z`,
/// `+012024-01-31`, `0044-03-15 BC`.
pub(crate) fn parse_moment(text: &str) -> Result<Moment, Failure> {
    let mut scan = Scan::new(text);
    let moment = scan.moment();
    scan.all(moment)
}

/// Parses a day. The time in a timestamp's text is ignored if `ignore_time`, else it must be midnight.
pub(crate) fn parse_date(text: &str, ignore_time: bool) -> Result<i32, Failure> {
    let moment = parse_moment(text)?;
    if moment.micros != 0 && !ignore_time {
        return Err(Failure::Datetime);
    }
    i32::try_from(moment.days).map_err(|_| Failure::DatetimeRange)
}

/// Parses a time of day: `10:00`, `10:00:00`, `10:00:00.123456`.
pub(crate) fn parse_time(text: &str) -> Result<i64, Failure> {
    let mut scan = Scan::new(text);
    let time = scan.time();
    scan.all(time).and_then(|micros| if micros < DAY { Ok(micros) } else { Err(Failure::DatetimeRange) })
}

/// The bytes that are still to be read, and whether a field was read that the calendar or the clock does not have.
struct Scan<'a>(&'a [u8], bool);

impl<'a> Scan<'a> {
    fn new(text: &'a str) -> Self {
        Self(text.trim_ascii().as_bytes(), false)
    }

    /// What was read, if it was all of the text.
    fn all<T>(&self, read: Option<T>) -> Result<T, Failure> {
        match read {
            Some(value) if self.0.is_empty() => Ok(value),
            None if self.1 => Err(Failure::DatetimeRange),
            _ => Err(Failure::Datetime),
        }
    }

    /// The value if its fields are in range.
    fn in_range<T>(&mut self, value: T, is_in_range: bool) -> Option<T> {
        self.1 |= !is_in_range;
        is_in_range.then_some(value)
    }

    fn moment(&mut self) -> Option<Moment> {
        let mut civil = self.date()?;
        let mut micros = 0;
        let has_time = match self.0 {
            [b'T' | b't', ..] | [b' ', b'0'..=b'9', ..] => true,
            [b' ', b' ', ..] => {
                self.spaces();
                self.0.first().is_some_and(u8::is_ascii_digit)
            }
            _ => false,
        };
        if has_time {
            let _ = self.eat(b'T') || self.eat(b't') || self.eat(b' ');
            micros = self.time()?;
        }
        self.spaces();
        let offset_secs = self.zone()?;
        self.spaces();
        if self.eat_word("BC") {
            civil.year = 1 - civil.year;
        } else {
            self.eat_word("AD");
        }
        let moment = Moment { days: civil.to_days(), micros, offset_secs };
        self.in_range(moment, civil.exists())
    }

    /// A year of 4 to 7 digits, all 8 digits of a day, or a sign and 6 digits, where +000000 is 1 BC (ISO 8601's
    /// extended form).
    fn date(&mut self) -> Option<Civil> {
        let is_compact = self.0.iter().take_while(|b| b.is_ascii_digit()).count() == 8;
        let is_negative = self.0.first() == Some(&b'-');
        let year = if is_negative || self.0.first() == Some(&b'+') {
            self.eat(if is_negative { b'-' } else { b'+' });
            let year = self.number(6, 6)?;
            if is_negative { -year } else { year }
        } else {
            self.year()?
        };
        if !self.eat(b'-') {
            // Eight digits without hyphens.
            let day = Some(Civil { year: year / 10_000, month: year / 100 % 100, day: year % 100 });
            return day.filter(|_| is_compact);
        }
        let month = self.number(1, 2)?;
        self.expect(b'-')?;
        let day = self.number(1, 2)?;
        Some(Civil { year, month, day })
    }

    fn year(&mut self) -> Option<i64> {
        let year = self.number(4, 8)?;
        self.in_range(year, year > 0)
    }

    /// Microseconds since midnight; 24:00:00 and a 60th second are the start of what follows.
    fn time(&mut self) -> Option<i64> {
        // Six digits without colons.
        let is_compact = self.0.iter().take_while(|b| b.is_ascii_digit()).count() == 6;
        let hour = self.number(1, 2)?;
        if !is_compact {
            self.expect(b':')?;
        }
        let minute = self.number(2, 2)?;
        let (mut second, mut micros) = (0, 0);
        if is_compact || self.eat(b':') {
            second = self.number(2, 2)?;
            if self.eat(b'.') {
                micros = self.fraction()?;
            }
        }
        let total = (hour * 3_600 + minute * 60 + second) * SECOND + micros;
        self.in_range(total, minute < 60 && second <= 60 && (hour < 24 || total == DAY))
    }

    /// The digits after the point in microseconds, the seventh rounded.
    fn fraction(&mut self) -> Option<i64> {
        let n_digits = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at_checked(n_digits)?;
        self.0 = rest;
        let digit = |place: usize| digits.get(place).map_or(0, |b| i64::from(b - b'0'));
        let micros = (0..6).fold(0, |micros, place| micros * 10 + digit(place));
        (n_digits > 0).then_some(micros + i64::from(digit(6) >= 5))
    }

    /// `Some(None)` if there is no zone, `None` if what is there is not one.
    fn zone(&mut self) -> Option<Option<i64>> {
        if self.eat_word("Z") || self.eat_word("UTC") || self.eat_word("GMT") {
            return Some(Some(0));
        }
        let sign = match self.0.first() {
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => return Some(None),
        };
        self.0 = self.0.get(1..)?;
        let hours = self.number(1, 2)?;
        let (mut minutes, mut seconds) = (0, 0);
        if self.eat(b':') {
            minutes = self.number(2, 2)?;
            if self.eat(b':') {
                seconds = self.number(2, 2)?;
            }
        } else if self.0.first().is_some_and(u8::is_ascii_digit) {
            minutes = self.number(2, 2)?;
        }
        self.in_range(Some(sign * (hours * 3_600 + minutes * 60 + seconds)), hours < 16 && minutes < 60 && seconds < 60)
    }

    /// A number of so many digits; the digits after them are left.
    fn number(&mut self, min_digits: usize, max_digits: usize) -> Option<i64> {
        let n_digits = self.0.iter().take(max_digits).take_while(|b| b.is_ascii_digit()).count();
        if n_digits < min_digits {
            return None;
        }
        let (digits, rest) = self.0.split_at_checked(n_digits)?;
        self.0 = rest;
        Some(digits.iter().fold(0, |number, b| number * 10 + i64::from(b - b'0')))
    }

    fn eat(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.eat(byte).then_some(())
    }

    fn eat_word(&mut self, word: &str) -> bool {
        match self.0.split_at_checked(word.len()) {
            Some((start, rest)) if start.eq_ignore_ascii_case(word.as_bytes()) => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn spaces(&mut self) {
        self.0 = self.0.trim_ascii_start();
    }
}
