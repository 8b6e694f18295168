//! Functions that tell about a JSON value: its kind, its length, its keys, and what it contains.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Builder, ListBuilder, StringViewBuilder};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use kalamdb_types::SqlType;
use serde_json::Value;

use super::access::{Steps, by_steps, each, is_texts, text_lists};
use super::path::{Kind, elements, keys, kind, read};
use crate::error::{Error, ErrorKind, Result};
use crate::functions::{Texts, array, field, function, is_text, no_such_function};

/// The functions without an operator.
pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![
        function(&["json_typeof", "jsonb_typeof"], |name, args| by_value(name, args, SqlType::Text), type_of),
        function(&["json_length"], |name, args| by_steps(name, args, SqlType::BigInt), |args| lengths(args, false)),
        function(
            &["json_array_length", "jsonb_array_length"],
            |name, args| by_value(name, args, SqlType::BigInt),
            |args| lengths(args, true),
        ),
        function(&["json_keys", "json_object_keys", "jsonb_object_keys"], key_lists, all_keys),
    ]
}

/// `jsonb_exists(json, key)`: the operator `?`.
pub(super) fn exists() -> Arc<ScalarUDF> {
    function(&["jsonb_exists"], by_two_texts, |args| {
        let (json, key) = (Texts::of(args, 0)?, Texts::of(args, 1)?);
        (0..args.number_rows)
            .map(|row| match (json.get(row), key.get(row)) {
                (Some(json), Some(key)) => names_of(json).map(|names| Some(names.iter().any(|name| name == key))),
                _ => Ok(None),
            })
            .collect::<Result<BooleanArray>>()
            .map(|values| Arc::new(values) as ArrayRef)
    })
}

/// `jsonb_exists_any(json, keys)`: the operator `?|`.
pub(super) fn exists_any() -> Arc<ScalarUDF> {
    function(&["jsonb_exists_any"], by_texts, |args| exists_of(args, false))
}

/// `jsonb_exists_all(json, keys)`: the operator `?&`.
pub(super) fn exists_all() -> Arc<ScalarUDF> {
    function(&["jsonb_exists_all"], by_texts, |args| exists_of(args, true))
}

/// `jsonb_contains(json, json)`: the operator `@>`.
pub(super) fn contains() -> Arc<ScalarUDF> {
    function(&["jsonb_contains"], by_two_texts, |args| {
        let (whole, part) = (Texts::of(args, 0)?, Texts::of(args, 1)?);
        let constant = match &part {
            Texts::One(Some(part)) => Some(read::<Value>(part)?),
            _ => None,
        };
        (0..args.number_rows)
            .map(|row| match (whole.get(row), part.get(row)) {
                (Some(whole), Some(part)) => {
                    let whole: Value = read(whole)?;
                    Ok(Some(match &constant {
                        Some(part) => holds(&whole, part, true),
                        None => holds(&whole, &read(part)?, true),
                    }))
                }
                _ => Ok(None),
            })
            .collect::<Result<BooleanArray>>()
            .map(|values| Arc::new(values) as ArrayRef)
    })
}

fn by_value(name: &str, args: &[FieldRef], sql_type: SqlType) -> Result<Field> {
    match args {
        [json] if is_text(json.data_type()) => Ok(field(name, sql_type)),
        _ => Err(no_such_function(name, args)),
    }
}

fn by_two_texts(name: &str, args: &[FieldRef]) -> Result<Field> {
    match args {
        [left, right] if is_text(left.data_type()) && is_text(right.data_type()) => Ok(field(name, SqlType::Boolean)),
        _ => Err(no_such_function(name, args)),
    }
}

fn by_texts(name: &str, args: &[FieldRef]) -> Result<Field> {
    match args {
        [json, keys] if is_text(json.data_type()) && is_texts(keys.data_type()) => Ok(field(name, SqlType::Boolean)),
        _ => Err(no_such_function(name, args)),
    }
}

fn key_lists(name: &str, args: &[FieldRef]) -> Result<Field> {
    by_steps(name, args, SqlType::Text)?;
    Ok(Field::new_list(name, Field::new_list_field(DataType::Utf8View, true), true))
}

fn type_of(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let mut values = StringViewBuilder::with_capacity(args.number_rows);
    each(args, &Steps::of(args, 1)?, |json| {
        values.append_option(json.map(kind).transpose()?.map(Kind::name));
        Ok(())
    })?;
    Ok(Arc::new(values.finish()))
}

fn lengths(args: &ScalarFunctionArgs, only_arrays: bool) -> Result<ArrayRef> {
    let mut values = Int64Builder::with_capacity(args.number_rows);
    each(args, &Steps::of(args, 1)?, |json| {
        let length = match json.map(|json| Ok::<_, Error>((kind(json)?, json))).transpose()? {
            Some((Kind::Array, json)) => Some(elements(json)?.len()),
            Some((other, _)) if only_arrays => {
                let message = format!("a JSON value that is {} has no array length", with_article(other));
                return Err(Error::new(ErrorKind::InvalidParameterValue, message));
            }
            Some((Kind::Object, json)) => Some(keys(json)?.len()),
            _ => None,
        };
        values.append_option(length.and_then(|length| i64::try_from(length).ok()));
        Ok(())
    })?;
    Ok(Arc::new(values.finish()))
}

fn with_article(kind: Kind) -> String {
    let article = if kind == Kind::Object { "an" } else { "a" };
    format!("{article} {}", kind.name())
}

/// The keys of objects; NULL for other values.
fn all_keys(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let mut values = ListBuilder::new(StringViewBuilder::new());
    each(args, &Steps::of(args, 1)?, |json| {
        match json {
            Some(json) if kind(json)? == Kind::Object => {
                keys(json)?.into_iter().for_each(|key| values.values().append_value(key));
                values.append(true);
            }
            _ => values.append(false),
        }
        Ok(())
    })?;
    Ok(Arc::new(values.finish()))
}

/// What `?` looks among: the keys of an object, the strings of an array, or the string itself.
fn names_of(json: &str) -> Result<Vec<String>> {
    match kind(json)? {
        Kind::Object => keys(json),
        Kind::Array => {
            let mut names = Vec::new();
            for element in elements(json)? {
                if kind(element)? == Kind::String {
                    names.push(read(element)?);
                }
            }
            Ok(names)
        }
        Kind::String => Ok(vec![read(json)?]),
        Kind::Number | Kind::Boolean | Kind::Null => Ok(Vec::new()),
    }
}

/// Whether the value has all of the keys, or any of them.
fn exists_of(args: &ScalarFunctionArgs, all: bool) -> Result<ArrayRef> {
    let (json, keys) = (Texts::of(args, 0)?, text_lists(&array(args, 1)?)?);
    let mut values = Vec::with_capacity(args.number_rows);
    for row in 0..args.number_rows {
        let Some(json) = json.get(row).filter(|_| keys.is_valid(row)) else {
            values.push(None);
            continue;
        };
        let names = names_of(json)?;
        let wanted = keys.value(row);
        let mut found = wanted.as_string_view().iter().flatten().map(|key| names.iter().any(|name| name == key));
        values.push(Some(if all { found.all(|is_there| is_there) } else { found.any(|is_there| is_there) }));
    }
    Ok(Arc::new(BooleanArray::from(values)))
}

/// PostgreSQL's containment: objects by key, arrays as sets, and at the top an array also contains a single value.
fn holds(whole: &Value, part: &Value, is_top: bool) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| holds(whole, part, false)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            part.iter().all(|part| whole.iter().any(|whole| holds(whole, part, false)))
        }
        (Value::Array(whole), part) if is_top && !part.is_object() => {
            whole.iter().any(|whole| holds(whole, part, false))
        }
        (Value::Number(whole), Value::Number(part)) => whole == part || whole.as_f64() == part.as_f64(),
        (whole, part) => whole == part,
    }
}
