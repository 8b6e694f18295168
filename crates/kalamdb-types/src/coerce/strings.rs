use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, StringViewArray, StringViewBuilder, types::*},
    datatypes::DataType,
};
use serde::de::IgnoredAny;
use uuid::Uuid;

use super::{Converted, Fault, Source, plain, text};
use crate::error::Failure;

/// Text from text; in SQL from the text form of anything but bytes.
pub(super) fn to_text(array: &ArrayRef, source: Source) -> Converted {
    text_array(array, source).map(|texts| Arc::new(texts) as ArrayRef)
}

/// Text of at most `length` characters. Spaces at the end do not count, as in PostgreSQL: they are cut off.
pub(super) fn to_varchar(array: &ArrayRef, length: u32, source: Source) -> Converted {
    let texts = text_array(array, source)?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    check_each(array, texts, |text| {
        // A character has at least one byte, so most texts need no counting.
        let end = if text.len() <= length { None } else { text.char_indices().nth(length) };
        match end.and_then(|(end, _)| text.split_at_checked(end)) {
            None => Ok(None),
            Some((kept, rest)) if rest.bytes().all(|b| b == b' ') => Ok(Some(kept.to_owned())),
            Some(_) => Err(Failure::TooLong),
        }
    })
}

/// UUIDs of any spelling that PostgreSQL reads, in lower case with hyphens.
pub(super) fn to_uuid(array: &ArrayRef) -> Converted {
    let texts = plain::texts(array).ok_or(Fault::whole(Failure::Type))?;
    check_each(array, texts, |text| {
        if is_canonical_uuid(text) {
            return Ok(None);
        }
        let text = text.trim_ascii();
        match Uuid::try_parse(text) {
            Ok(uuid) if !text.contains(':') => Ok(Some(uuid.hyphenated().to_string())),
            _ => Err(Failure::Syntax),
        }
    })
}

/// JSON texts, kept as they are. Numbers and booleans are the JSON of the same value.
pub(super) fn to_json(array: &ArrayRef) -> Converted {
    let texts = match array.data_type() {
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64
        | DataType::Float16
        | DataType::Float32
        | DataType::Float64
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => render(array),
        _ => plain::texts(array).ok_or(Fault::whole(Failure::Type))?,
    };
    // NaN and the infinities fail here: JSON has no word for them.
    check_each(array, texts, |text| serde_json::from_str::<IgnoredAny>(text).map(|_| None).map_err(|_| Failure::Syntax))
}

fn text_array(array: &ArrayRef, source: Source) -> Result<StringViewArray, Fault> {
    if let Some(texts) = plain::texts(array) {
        return Ok(texts);
    }
    let is_bytes = array.data_type().is_binary()
        || matches!(array.data_type(), DataType::BinaryView | DataType::FixedSizeBinary(_));
    if source == Source::Value || is_bytes { Err(Fault::whole(Failure::Type)) } else { Ok(render(array)) }
}

/// The text form of each value.
fn render(array: &ArrayRef) -> StringViewArray {
    let mut texts = StringViewBuilder::with_capacity(array.len());
    let mut cell = String::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            texts.append_null();
        } else {
            cell.clear();
            text::write_cell(array, row, &mut cell);
            texts.append_value(&cell);
        }
    }
    texts.finish()
}

/// Checks each text, replacing those for which `check` gives another. `array` itself is the result if it is made of
/// these texts and none is replaced.
fn check_each(
    array: &ArrayRef,
    texts: StringViewArray,
    check: impl Fn(&str) -> Result<Option<String>, Failure>,
) -> Converted {
    let mut replaced: Vec<(usize, String)> = Vec::new();
    for (row, text) in texts.iter().enumerate() {
        let Some(text) = text else { continue };
        if let Some(other) = check(text).map_err(|failure| Fault { row, failure })? {
            replaced.push((row, other));
        }
    }
    if replaced.is_empty() {
        let is_same = array.as_byte_view_opt::<StringViewType>().is_some();
        return Ok(if is_same { Arc::clone(array) } else { Arc::new(texts) });
    }
    let mut replaced = replaced.into_iter().peekable();
    let mut result = StringViewBuilder::with_capacity(texts.len());
    for (row, text) in texts.iter().enumerate() {
        match replaced.next_if(|(replaced_row, _)| *replaced_row == row) {
            Some((_, other)) => result.append_value(other),
            None => result.append_option(text),
        }
    }
    Ok(Arc::new(result.finish()))
}

fn is_canonical_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, b)| match index {
            8 | 13 | 18 | 23 => b == b'-',
            _ => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
        })
}
