//! Numbers as PostgreSQL writes them: with underscores, and in other bases than ten.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Whitespace};

use crate::error::{Error, ErrorKind, Location, Result};

/// Makes decimal numbers of `1_000`, `0x1F`, `0o17` and `0b101`.
///
/// # Errors
/// `syntax_error` for a word that touches a number: the parser would take it for an alias. Definitions may hold
/// durations, `2h`.
pub(super) fn read_numbers(tokens: &mut [TokenWithSpan]) -> Result<()> {
    let mut defines = false;
    let mut rest = tokens;
    while let [token, after @ ..] = rest {
        match &token.token {
            Token::Word(word) => defines |= matches!(word.keyword, Keyword::CREATE | Keyword::ALTER),
            Token::SemiColon => defines = false,
            _ => {}
        }
        let tail = match after.first_mut() {
            Some(next) if is_tail(&next.token, defines) => Some(next),
            _ => None,
        };
        let text = match (&token.token, &tail) {
            (Token::Number(number, _), None) if !number.contains('_') => None,
            (Token::Number(number, _), _) => Some(number.clone()),
            (Token::HexStringLiteral(digits), _) if !has_quotes(token, digits) => Some(format!("0x{digits}")),
            _ => None,
        };
        if let Some(mut text) = text {
            if let Some(tail) = tail
                && let Token::Word(word) = &tail.token
            {
                text.push_str(&word.value);
                tail.token = Token::Whitespace(Whitespace::Space);
            }
            let start = token.span.start;
            let number = decimal(&text).ok_or_else(|| {
                let location = Location { line: start.line, column: start.column };
                Error::new(ErrorKind::SyntaxError, format!("{text} is not a number")).with_location(Some(location))
            })?;
            token.token = Token::Number(number, false);
        }
        rest = after;
    }
    Ok(())
}

fn is_tail(token: &Token, may_be_unit: bool) -> bool {
    let Token::Word(word) = token else { return false };
    let is_unit = matches!(word.value.as_str(), "s" | "m" | "h" | "d" | "S" | "M" | "H" | "D");
    word.quote_style.is_none() && !(may_be_unit && is_unit)
}

/// Whether digits are those of `X'1F'`, which is no number, and not of `0x1F`.
fn has_quotes(token: &TokenWithSpan, digits: &str) -> bool {
    let length = token.span.end.column.saturating_sub(token.span.start.column);
    usize::try_from(length).is_ok_and(|length| length > digits.len() + 2)
}

/// A number with the digits 0 to 9 alone.
fn decimal(text: &str) -> Option<String> {
    let base = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => {
            let number = joined(text)?;
            return number.parse::<f64>().is_ok().then_some(number);
        }
    };
    // An underscore may come before the first digit.
    let digits = joined(text.get(1..)?)?;
    let value = u128::from_str_radix(digits.get(1..)?, base).ok()?;
    Some(value.to_string())
}

/// A number without underscores, if each is between two digits.
fn joined(text: &str) -> Option<String> {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    let is_between =
        |at: usize| is_digit(at.checked_sub(1).and_then(|at| bytes.get(at))) && is_digit(bytes.get(at + 1));
    text.match_indices('_').all(|(at, _)| is_between(at)).then(|| text.replace('_', ""))
}
