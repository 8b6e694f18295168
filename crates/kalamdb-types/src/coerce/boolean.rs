use std::sync::Arc;

use arrow::array::{Array, BooleanArray, BooleanBuilder};

use super::{Converted, Fault, plain::Plain};
use crate::error::Failure;

/// Booleans from text only: PostgreSQL has no assignment cast from numbers.
pub(super) fn convert(plain: Plain) -> Converted {
    let texts = match plain {
        Plain::Boolean(array) => return Ok(Arc::new(array)),
        Plain::Text(texts) => texts,
        Plain::Int(_)
        | Plain::UInt64(_)
        | Plain::Float(..)
        | Plain::Decimal(..)
        | Plain::Bytes(_)
        | Plain::Date(_)
        | Plain::Time(_)
        | Plain::Timestamp(_)
        | Plain::Other => return Err(Fault::whole(Failure::Type)),
    };
    let mut values = BooleanBuilder::with_capacity(texts.len());
    for (row, text) in texts.iter().enumerate() {
        let value = text.map(|text| parse(text).ok_or(Fault { row, failure: Failure::Syntax })).transpose()?;
        values.append_option(value);
    }
    let values: BooleanArray = values.finish();
    Ok(Arc::new(values))
}

/// What PostgreSQL reads as a boolean: the words, their unambiguous beginnings, 1 and 0.
fn parse(text: &str) -> Option<bool> {
    match text.trim_ascii().to_ascii_lowercase().as_str() {
        "t" | "tr" | "tru" | "true" | "y" | "ye" | "yes" | "on" | "1" => Some(true),
        "f" | "fa" | "fal" | "fals" | "false" | "n" | "no" | "of" | "off" | "0" => Some(false),
        _ => None,
    }
}
