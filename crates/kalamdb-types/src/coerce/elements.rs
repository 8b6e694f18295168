//! The elements of an array that is given as text, each as a text that its own type reads.

use serde_json::value::RawValue;

use super::Source;
use crate::{SqlType, error::Failure};

/// Appends the elements of one array.
pub(super) fn read(text: &str, element: SqlType, source: Source, out: &mut Vec<Option<String>>) -> Result<(), Failure> {
    let text = text.trim_ascii();
    match text.as_bytes().first() {
        Some(b'[') => read_json(text, element, source, out),
        Some(b'{') => read_braces(text, element, out),
        _ => Err(Failure::Syntax),
    }
}

/// Whether elements of this type are arrays or vectors themselves.
fn is_nested(element: SqlType) -> bool {
    matches!(element, SqlType::Array(_) | SqlType::Embedding(_))
}

fn read_json(text: &str, element: SqlType, source: Source, out: &mut Vec<Option<String>>) -> Result<(), Failure> {
    let values: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| Failure::Syntax)?;
    for value in values {
        let value = value.get();
        let first = value.as_bytes().first();
        if value == "null" {
            out.push(None);
            continue;
        }
        let kept = match first {
            // What is written within JSON is JSON.
            _ if element == SqlType::Json => value.to_owned(),
            Some(b'[') if is_nested(element) => value.to_owned(),
            Some(b'[' | b'{') => return Err(Failure::Syntax),
            _ if matches!(element, SqlType::Array(_)) => return Err(Failure::Syntax),
            Some(b'"') => serde_json::from_str(value).map_err(|_| Failure::Syntax)?,
            first => {
                let is_boolean = matches!(first, Some(b't' | b'f'));
                // As for values by themselves: only strings of JavaScript are text, and numbers are not booleans.
                let fits = match element {
                    SqlType::Boolean => is_boolean,
                    SqlType::Text | SqlType::Varchar(_) => source == Source::Sql,
                    _ => !is_boolean,
                };
                if !fits {
                    return Err(Failure::Type);
                }
                value.to_owned()
            }
        };
        out.push(Some(kept));
    }
    Ok(())
}

/// Reads `{1,NULL,"quoted, \"text\"",{nested}}`.
fn read_braces(text: &str, element: SqlType, out: &mut Vec<Option<String>>) -> Result<(), Failure> {
    let inner = text.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).ok_or(Failure::Syntax)?;
    let mut rest = inner.trim_ascii();
    if rest.is_empty() {
        return Ok(());
    }
    loop {
        let (value, after) = match rest.as_bytes().first() {
            Some(b'"') => quoted(rest)?,
            Some(b'{') if is_nested(element) => nested(rest)?,
            _ => unquoted(rest)?,
        };
        out.push(value);
        rest = match after.trim_ascii_start().strip_prefix(',') {
            Some(next) => next.trim_ascii_start(),
            None if after.trim_ascii().is_empty() => return Ok(()),
            None => return Err(Failure::Syntax),
        };
    }
}

/// An element and what follows it.
type Element<'a> = Result<(Option<String>, &'a str), Failure>;

fn quoted(text: &str) -> Element<'_> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return text.get(at + 1..).map(|after| (Some(value), after)).ok_or(Failure::Syntax),
            '\\' => value.push(chars.next().ok_or(Failure::Syntax)?.1),
            c => value.push(c),
        }
    }
    Err(Failure::Syntax)
}

/// Up to the next comma. Backslashes keep the character after them; NULL is NULL.
fn unquoted(text: &str) -> Element<'_> {
    let mut value = String::new();
    let mut end = text.len();
    let mut is_escaped = false;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            ',' => {
                end = at;
                break;
            }
            '"' | '{' | '}' => return Err(Failure::Syntax),
            '\\' => {
                is_escaped = true;
                value.push(chars.next().ok_or(Failure::Syntax)?.1);
            }
            c => value.push(c),
        }
    }
    let after = text.get(end..).ok_or(Failure::Syntax)?;
    let value = value.trim_ascii();
    match value {
        "" => Err(Failure::Syntax),
        null if null.eq_ignore_ascii_case("null") && !is_escaped => Ok((None, after)),
        value => Ok((Some(value.to_owned()), after)),
    }
}

/// The text of an array within an array.
fn nested(text: &str) -> Element<'_> {
    let (mut depth, mut in_quotes) = (0_usize, false);
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '"' => in_quotes = !in_quotes,
            '{' if !in_quotes => depth += 1,
            '}' if !in_quotes => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    let (value, after) = text.split_at_checked(at + 1).ok_or(Failure::Syntax)?;
                    return Ok((Some(value.to_owned()), after));
                }
            }
            _ => {}
        }
    }
    Err(Failure::Syntax)
}
