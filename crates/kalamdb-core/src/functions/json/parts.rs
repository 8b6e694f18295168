//! The elements of JSON arrays and the members of JSON objects as arrays: what `jsonb_array_elements` and `jsonb_each`
//! in FROM are made of.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, ListBuilder, StringViewBuilder};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};

use super::path::{Kind, elements, kind, members, to_text};
use crate::error::{Error, ErrorKind, Result};
use crate::functions::{Texts, function, is_text, no_such_function};

/// The elements of an array, as JSON.
pub(crate) const ELEMENTS: &str = "json_elements";
/// The elements of an array, as texts.
pub(crate) const ELEMENT_TEXTS: &str = "json_element_texts";
/// The keys of an object.
pub(crate) const NAMES: &str = "json_member_names";
/// The values of an object, as JSON.
pub(crate) const VALUES: &str = "json_member_values";
/// The values of an object, as texts.
pub(crate) const VALUE_TEXTS: &str = "json_member_texts";

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![
        function(&[ELEMENTS], texts, |args| parts(args, |json| written(elements_of(json)?))),
        function(&[ELEMENT_TEXTS], texts, |args| parts(args, |json| read(elements_of(json)?))),
        function(&[NAMES], texts, |args| {
            parts(args, |json| Ok(members_of(json)?.into_iter().map(|(key, _)| Some(key)).collect()))
        }),
        function(&[VALUES], texts, |args| parts(args, |json| written(values_of(json)?))),
        function(&[VALUE_TEXTS], texts, |args| parts(args, |json| read(values_of(json)?))),
    ]
}

fn texts(name: &str, args: &[FieldRef]) -> Result<Field> {
    match args {
        [json] if is_text(json.data_type()) => {
            Ok(Field::new_list(name, Field::new_list_field(DataType::Utf8View, true), true))
        }
        _ => Err(no_such_function(name, args)),
    }
}

type Parts = Vec<Option<String>>;

fn parts(args: &ScalarFunctionArgs, of: fn(&str) -> Result<Parts>) -> Result<ArrayRef> {
    let json = Texts::of(args, 0)?;
    let mut lists = ListBuilder::new(StringViewBuilder::new());
    for row in 0..args.number_rows {
        match json.get(row) {
            Some(json) => {
                of(json.trim_ascii())?.into_iter().for_each(|part| lists.values().append_option(part));
                lists.append(true);
            }
            None => lists.append(false),
        }
    }
    Ok(Arc::new(lists.finish()))
}

fn written(parts: Vec<&str>) -> Result<Parts> {
    Ok(parts.into_iter().map(|part| Some(part.to_owned())).collect())
}

fn read(parts: Vec<&str>) -> Result<Parts> {
    parts.into_iter().map(|part| Ok(to_text(part)?.map(std::borrow::Cow::into_owned))).collect()
}

fn elements_of(json: &str) -> Result<Vec<&str>> {
    match kind(json)? {
        Kind::Array => elements(json),
        other => Err(none(other, "elements")),
    }
}

fn members_of(json: &str) -> Result<Vec<(String, &str)>> {
    match kind(json)? {
        Kind::Object => members(json),
        other => Err(none(other, "members")),
    }
}

fn values_of(json: &str) -> Result<Vec<&str>> {
    Ok(members_of(json)?.into_iter().map(|(_, value)| value).collect())
}

fn none(kind: Kind, parts: &str) -> Error {
    Error::new(ErrorKind::InvalidParameterValue, format!("a JSON value of kind {} has no {parts}", kind.name()))
}
