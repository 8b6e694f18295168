//! The patterns of LIKE with another escape character, and those of SIMILAR TO, in the forms that are matched.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringViewArray};
use datafusion::arrow::datatypes::{Field, FieldRef};
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use kalamdb_types::SqlType;

use super::pattern_functions::{LIKE_ESCAPE, SIMILAR_TO_ESCAPE};
use crate::error::{Error, ErrorKind, Result};
use crate::functions::{Texts, field, function, is_text, no_such_function};

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![
        function(&[LIKE_ESCAPE], |name, args| returns(name, args, 2), |args| each(args, like)),
        function(&[SIMILAR_TO_ESCAPE], |name, args| returns(name, args, 1), |args| each(args, similar)),
    ]
}

fn returns(name: &str, args: &[FieldRef], least: usize) -> Result<Field> {
    if args.len() >= least && args.len() <= 2 && args.iter().all(|arg| is_text(arg.data_type())) {
        return Ok(field(name, SqlType::Text));
    }
    Err(no_such_function(name, args))
}

fn each(args: &ScalarFunctionArgs, translate: fn(&str, Option<char>) -> Result<String>) -> Result<ArrayRef> {
    let patterns = Texts::of(args, 0)?;
    let escapes = if args.args.len() > 1 { Texts::of(args, 1)? } else { Texts::One(Some("\\".to_owned())) };
    let translated = (0..args.number_rows).map(|row| match (patterns.get(row), escapes.get(row)) {
        (Some(pattern), Some(escape)) => translate(pattern, escape_of(escape)?).map(Some),
        _ => Ok(None),
    });
    Ok(Arc::new(translated.collect::<Result<StringViewArray>>()?))
}

/// The character that escapes; none at all if the text is empty.
fn escape_of(text: &str) -> Result<Option<char>> {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (escape, None) => Ok(escape),
        _ => Err(Error::new(ErrorKind::DataException, "an escape is one character, or none")),
    }
}

/// The same pattern with the backslash as its escape.
fn like(pattern: &str, escape: Option<char>) -> Result<String> {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        if Some(c) == escape {
            let Some(escaped) = rest.next() else {
                return Err(Error::new(
                    ErrorKind::DataException,
                    "a LIKE pattern must not end with its escape character",
                ));
            };
            out.push('\\');
            out.push(escaped);
        } else {
            if c == '\\' {
                out.push('\\');
            }
            out.push(c);
        }
    }
    Ok(out)
}

/// The regular expression that a pattern of SIMILAR TO means.
fn similar(pattern: &str, escape: Option<char>) -> Result<String> {
    let mut out = String::with_capacity(pattern.len() + 8);
    out.push_str("^(?:");
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        if Some(c) == escape {
            match rest.next() {
                Some('"') => return Err(Error::unsupported("the parts of a pattern of SIMILAR TO")),
                Some(escaped) => {
                    out.push('\\');
                    out.push(escaped);
                }
                None => {
                    return Err(Error::new(
                        ErrorKind::DataException,
                        "a pattern must not end with its escape character",
                    ));
                }
            }
            continue;
        }
        match c {
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            '(' => out.push_str("(?:"),
            '\\' | '.' | '^' | '$' => {
                out.push('\\');
                out.push(c);
            }
            '[' => {
                out.push('[');
                if let Some('^') = rest.peek() {
                    rest.next();
                    out.push('^');
                }
                let mut is_first = true;
                let mut in_class = false;
                for c in rest.by_ref() {
                    if Some(c) == escape || c == '\\' {
                        out.push('\\');
                        if Some(c) == escape && escape == Some('\\') {
                            is_first = false;
                            continue;
                        }
                        if Some(c) == escape {
                            is_first = false;
                            continue;
                        }
                    }
                    out.push(c);
                    let closes = c == ']' && !is_first && !in_class;
                    in_class = match c {
                        ':' if out.ends_with("[:") => true,
                        ']' if in_class && out.ends_with(":]") => false,
                        _ => in_class,
                    };
                    is_first = false;
                    if closes {
                        break;
                    }
                }
            }
            c => out.push(c),
        }
    }
    out.push_str(")$");
    Ok(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_like() {
        for (pattern, escape, expected) in [
            ("a!%", Some('!'), r"a\%"),
            ("a!!b", Some('!'), r"a\!b"),
            (r"a\b", Some('!'), r"a\\b"),
            (r"a\%", None, r"a\\%"),
            ("a%%b", Some('%'), r"a\%b"),
            (r"a\%", Some('\\'), r"a\%"),
        ] {
            assert_eq!(like(pattern, escape).unwrap(), expected, "{pattern} {escape:?}");
        }
        assert!(like("a!", Some('!')).is_err());
        assert!(escape_of("xx").is_err());
        assert_eq!(escape_of("").unwrap(), None);
    }

    #[test]
    fn patterns_of_similar_to() {
        for (pattern, escape, expected) in [
            ("a%_", Some('\\'), "^(?:a.*.)$"),
            ("(a|b)+", Some('\\'), "^(?:(?:a|b)+)$"),
            ("a.c^$", Some('\\'), r"^(?:a\.c\^\$)$"),
            ("a!%", Some('!'), r"^(?:a\%)$"),
            ("[%_.]x", Some('\\'), "^(?:[%_.]x)$"),
            ("[]a]x", Some('\\'), "^(?:[]a]x)$"),
            ("[^]a]", Some('\\'), "^(?:[^]a])$"),
            ("[[:alpha:]]", Some('\\'), "^(?:[[:alpha:]])$"),
            ("[!]]%", Some('!'), r"^(?:[\]].*)$"),
            (r"a\b", None, r"^(?:a\\b)$"),
        ] {
            assert_eq!(similar(pattern, escape).unwrap(), expected, "{pattern} {escape:?}");
        }
    }
}
