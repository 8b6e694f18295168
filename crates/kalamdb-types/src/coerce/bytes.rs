use std::sync::Arc;

use arrow::array::{Array, BinaryBuilder};

use super::{Converted, Fault, plain::Plain};
use crate::error::Failure;

/// Bytes from bytes, or from text in PostgreSQL's input forms.
pub(super) fn convert(plain: Plain) -> Converted {
    let texts = match plain {
        Plain::Bytes(array) => return Ok(Arc::new(array)),
        Plain::Text(texts) => texts,
        Plain::Boolean(_)
        | Plain::Int(_)
        | Plain::UInt64(_)
        | Plain::Float(..)
        | Plain::Decimal(..)
        | Plain::Date(_)
        | Plain::Time(_)
        | Plain::Timestamp(_)
        | Plain::Other => return Err(Fault::whole(Failure::Type)),
    };
    let mut values = BinaryBuilder::with_capacity(texts.len(), 0);
    for (row, text) in texts.iter().enumerate() {
        let value = text.map(|text| parse(text).ok_or(Fault { row, failure: Failure::Syntax })).transpose()?;
        values.append_option(value);
    }
    Ok(Arc::new(values.finish()))
}

fn parse(text: &str) -> Option<Vec<u8>> {
    match text.strip_prefix("\\x") {
        Some(digits) => parse_hex(digits),
        None => parse_escapes(text),
    }
}

/// Pairs of hexadecimal digits, with white space between pairs.
fn parse_hex(digits: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    let mut rest = digits.bytes().filter(|b| !b.is_ascii_whitespace());
    let value = |digit: u8| char::from(digit).to_digit(16);
    while let Some(high) = rest.next() {
        let byte = value(high)? * 16 + value(rest.next()?)?;
        bytes.push(u8::try_from(byte).ok()?);
    }
    Some(bytes)
}

/// The text's bytes, where `\\` is a backslash and `\ooo` a byte in octal.
fn parse_escapes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return Some(bytes),
            [b'\\', b'\\', rest @ ..] => {
                bytes.push(b'\\');
                rest
            }
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', rest @ ..] => {
                bytes.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                rest
            }
            [b'\\', ..] => return None,
            [byte, rest @ ..] => {
                bytes.push(*byte);
                rest
            }
        };
    }
}
