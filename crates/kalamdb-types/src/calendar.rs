//! The proleptic Gregorian calendar in integers, for any year that the types hold.

/// Microseconds of a second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds of a day.
pub const DAY: i64 = 86_400 * SECOND;

/// A day of the calendar; year 0 is 1 BC, year -1 is 2 BC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// The year; 0 is 1 BC.
    pub year: i64,
    /// The month, from 1.
    pub month: i64,
    /// The day of the month, from 1.
    pub day: i64,
}

impl Civil {
    /// The day that is `days` after 1970-01-01.
    pub fn from_days(days: i64) -> Self {
        // Years begin in March here, so that the leap day is a year's last; 400 years are 146,097 days.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self { year, month, day }
    }

    /// The days from 1970-01-01 to this day.
    pub fn to_days(self) -> i64 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let shifted_month = (self.month + 9) % 12;
        let day_of_year = (153 * shifted_month + 2) / 5 + self.day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    /// Whether the calendar has this day.
    pub fn exists(self) -> bool {
        (1..=12).contains(&self.month) && (1..=31).contains(&self.day) && Self::from_days(self.to_days()) == self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        for (year, month, day, days) in [
            (1970, 1, 1, 0),
            (1969, 12, 31, -1),
            (2000, 2, 29, 11_016),
            (1, 1, 1, -719_162),
            (9999, 12, 31, 2_932_896),
            (0, 12, 31, -719_163),
        ] {
            let civil = Civil { year, month, day };
            assert_eq!(civil.to_days(), days);
            assert_eq!(Civil::from_days(days), civil);
            assert!(civil.exists());
        }
    }

    #[test]
    fn days_that_do_not_exist() {
        for (year, month, day) in
            [(2023, 2, 29), (1900, 2, 29), (2024, 4, 31), (2024, 0, 1), (2024, 13, 1), (2024, 1, 0), (2024, 1, 32)]
        {
            assert!(!Civil { year, month, day }.exists());
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut previous = Civil::from_days(-800_000);
        for days in -799_999..3_000_000 {
            let civil = Civil::from_days(days);
            assert_eq!(civil.to_days(), days);
            let next_day =
                civil.day == previous.day + 1 && civil.month == previous.month && civil.year == previous.year;
            let next_month =
                civil.day == 1 && (civil.year * 12 + civil.month) == (previous.year * 12 + previous.month) + 1;
            assert!(next_day || next_month, "{previous:?} is followed by {civil:?}");
            previous = civil;
        }
    }
}
