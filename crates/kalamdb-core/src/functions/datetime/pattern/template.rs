//! PostgreSQL's templates of dates and times, such as `YYYY-MM-DD HH24:MI`: their parts, and texts read by them.

use crate::error::{Error, Result};

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Literal(char),
    Field(Field),
}

/// A field of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    /// The name in upper case.
    pub(crate) name: &'static str,
    pub(crate) case: Case,
    /// `FM`: nothing is filled up with zeros and spaces.
    pub(crate) is_bare: bool,
    /// `TH` or `th`: the ending of an ordinal number.
    pub(crate) ordinal: Option<Case>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Upper,
    Lower,
    /// `Month`
    Capital,
}

/// Fields that may be written in upper and in lower case; longer names come before those that they begin with.
const FIELDS: [&str; 54] = [
    "A.D.", "A.M.", "AD", "AM", "B.C.", "BC", "CC", "DAY", "DDD", "DD", "DY", "D", "FF1", "FF2", "FF3", "FF4", "FF5",
    "FF6", "HH24", "HH12", "HH", "IDDD", "ID", "IW", "IYYY", "IYY", "IY", "I", "J", "MI", "MM", "MONTH", "MON", "MS",
    "OF", "P.M.", "PM", "Q", "RM", "SSSSS", "SSSS", "SS", "TZH", "TZM", "TZ", "US", "WW", "W", "Y,YYY", "YYYY", "YYY",
    "YY", "Y", "FX",
];

/// Names that may be capitalised as well.
const CAPITALISED: [(&str, &str); 4] = [("Day", "DAY"), ("Dy", "DY"), ("Month", "MONTH"), ("Mon", "MON")];

/// The parts of a template.
///
/// # Errors
/// `feature_not_supported` for a pattern of `strftime`, which would be mistaken for letters.
pub(crate) fn parts(template: &str) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = template;
    while !rest.is_empty() {
        let mut is_bare = false;
        for prefix in ["FM", "fm", "TM", "FX", "fx"] {
            if let Some(after) = rest.strip_prefix(prefix) {
                is_bare = prefix != "FX" && prefix != "fx";
                rest = after;
                break;
            }
        }
        if let Some((name, case, after)) = field(rest) {
            rest = after;
            let mut ordinal = None;
            for (suffix, case) in [("TH", Some(Case::Upper)), ("th", Some(Case::Lower)), ("SP", None)] {
                if let Some(after) = rest.strip_prefix(suffix) {
                    (ordinal, rest) = (case, after);
                    break;
                }
            }
            parts.push(Part::Field(Field { name, case, is_bare, ordinal }));
            continue;
        }
        if let Some(quoted) = rest.strip_prefix('"') {
            rest = literal(quoted, &mut parts);
            continue;
        }
        if rest.starts_with("\\\"") {
            rest = rest.get(1..).unwrap_or_default();
        }
        let mut chars = rest.chars();
        let Some(c) = chars.next() else { break };
        rest = chars.as_str();
        if c == '%' && rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(Error::unsupported("a template with % patterns")
                .with_hint("write, for instance, YYYY-MM-DD HH24:MI:SS"));
        }
        parts.push(Part::Literal(c));
    }
    Ok(parts)
}

/// The field that a text begins with, and what follows.
fn field(text: &str) -> Option<(&'static str, Case, &str)> {
    if let Some((upper, after)) = CAPITALISED.iter().find_map(|(name, upper)| Some((*upper, text.strip_prefix(*name)?)))
    {
        return Some((upper, Case::Capital, after));
    }
    FIELDS.iter().find_map(|name| {
        let start = text.get(..name.len())?;
        let after = text.get(name.len()..)?;
        if start == *name {
            Some((*name, Case::Upper, after))
        } else if start.eq_ignore_ascii_case(name) && !start.contains(|c: char| c.is_ascii_uppercase()) {
            Some((*name, Case::Lower, after))
        } else {
            None
        }
    })
}

/// Text in quotes; gives what follows them.
fn literal<'a>(quoted: &'a str, parts: &mut Vec<Part>) -> &'a str {
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '"' => break,
            '\\' => chars.next().unwrap_or(c),
            c => c,
        };
        parts.push(Part::Literal(c));
    }
    chars.as_str()
}

pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(crate) const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
