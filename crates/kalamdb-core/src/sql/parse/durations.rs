//! Durations in options, such as `10 m`.

use crate::error::{Error, ErrorKind, Result};

/// Seconds of a duration: a number, or one with the unit s, m, h or d.
pub(crate) fn seconds(text: &str) -> Result<u64> {
    let refused = || {
        let message = format!("{text:?} is not a duration");
        Error::new(ErrorKind::InvalidParameterValue, message).with_hint("write for instance 90s, 15m, 36h or 14d")
    };
    let trimmed = text.trim();
    let (number, factor) = match trimmed.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(number) if trimmed.ends_with('d') => (number, 86_400),
        Some(number) if trimmed.ends_with('h') => (number, 3600),
        Some(number) if trimmed.ends_with('m') => (number, 60),
        Some(number) => (number, 1),
        None => (trimmed, 1),
    };
    number.trim().parse::<u64>().ok().and_then(|number| number.checked_mul(factor)).ok_or_else(refused)
}
