//! Values as JSON, as PostgreSQL's `to_json` makes it.

use arrow::{
    array::{Array, AsArray, types::*},
    datatypes::{DataType, Field, FieldRef},
};
use serde::de::IgnoredAny;

use super::write_cell;
use crate::{SqlType, TYPE_KEY, sql_type::element_field};

/// Appends the value in `row` as JSON; `field` describes the array, its metadata tells JSON from text.
///
/// Booleans, numbers, lists and structs are themselves, JSON stays as it is written, everything else is a string of its
/// text form; so are NaN and the infinities. NULL is null.
pub fn append_json(array: &dyn Array, field: &Field, row: usize, out: &mut String) {
    if row >= array.len() || array.is_null(row) {
        return out.push_str("null");
    }
    match array.data_type() {
        DataType::Null => out.push_str("null"),
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => write_cell(array, row, out),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            let start = out.len();
            write_cell(array, row, out);
            if out.ends_with(['N', 'y']) {
                out.insert(start, '"');
                out.push('"');
            }
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let mut text = String::new();
            write_cell(array, row, &mut text);
            let is_json = field.metadata().get(TYPE_KEY).is_some_and(|name| *name == SqlType::Json.to_string());
            // The mark may have outlived the JSON.
            if is_json && serde_json::from_str::<IgnoredAny>(&text).is_ok() {
                out.push_str(text.trim_ascii());
            } else {
                append_string(&text, out);
            }
        }
        DataType::Timestamp(_, zone) => {
            let mut text = String::new();
            write_cell(array, row, &mut text);
            // ISO 8601, which other readers of JSON expect.
            let mut text = text.replacen(' ', "T", 1);
            if zone.is_some() {
                text = text.replacen("+00", "+00:00", 1);
            }
            append_string(&text, out);
        }
        DataType::List(item) => append_list(&*array.as_list::<i32>().value(row), &element_field(field, item), out),
        DataType::LargeList(item) => append_list(&*array.as_list::<i64>().value(row), &element_field(field, item), out),
        DataType::FixedSizeList(item, _) => {
            append_list(&*array.as_fixed_size_list().value(row), &element_field(field, item), out)
        }
        DataType::ListView(item) => {
            append_list(&*array.as_list_view::<i32>().value(row), &element_field(field, item), out)
        }
        DataType::LargeListView(item) => {
            append_list(&*array.as_list_view::<i64>().value(row), &element_field(field, item), out)
        }
        DataType::Struct(fields) => {
            out.push('{');
            for (index, (column, field)) in array.as_struct().columns().iter().zip(fields).enumerate() {
                if index > 0 {
                    out.push(',');
                }
                append_string(field.name(), out);
                out.push(':');
                append_json(column, field, row, out);
            }
            out.push('}');
        }
        DataType::Dictionary(key, _) if **key == DataType::Int32 => {
            let dictionary = array.as_dictionary::<Int32Type>();
            append_json(
                dictionary.values(),
                field,
                usize::try_from(dictionary.keys().value(row)).unwrap_or(usize::MAX),
                out,
            );
        }
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_)
        | DataType::Date32
        | DataType::Date64
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Duration(_)
        | DataType::Interval(_)
        | DataType::Map(..)
        | DataType::Union(..)
        | DataType::Dictionary(..)
        | DataType::RunEndEncoded(..) => {
            let mut text = String::new();
            write_cell(array, row, &mut text);
            append_string(&text, out);
        }
    }
}

fn append_list(items: &dyn Array, field: &FieldRef, out: &mut String) {
    out.push('[');
    for row in 0..items.len() {
        if row > 0 {
            out.push(',');
        }
        append_json(items, field, row, out);
    }
    out.push(']');
}

fn append_string(text: &str, out: &mut String) {
    // Writing a string to memory does not fail.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}
