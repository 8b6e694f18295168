//! JSON put together and taken apart: `||`, `-` and `#-`. What stays is kept as it is written.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::logical_expr::{ScalarFunctionArgs, ScalarUDF};
use kalamdb_types::SqlType;

use super::access::{is_texts, text_lists};
use super::path::{Kind, elements, kind, members, read, unique};
use crate::error::{Error, ErrorKind, Result};
use crate::functions::{Texts, array, field, function, is_text, no_such_function};

/// The most steps of a path; each is a call within another.
pub(super) const MAX_STEPS: usize = 128;

/// `jsonb_concat(a, b)`: the operator `||`.
pub(super) fn concat() -> Arc<ScalarUDF> {
    function(&["jsonb_concat"], |name, args| returns(name, args, &[is_text]), concats)
}

/// `jsonb_delete(json, key)`, of a key, several keys or an index: the operator `-`.
pub(super) fn delete() -> Arc<ScalarUDF> {
    function(&["jsonb_delete"], |name, args| returns(name, args, &[is_text, is_texts, DataType::is_integer]), deletes)
}

/// `jsonb_delete_path(json, path)`: the operator `#-`.
pub(super) fn delete_path() -> Arc<ScalarUDF> {
    function(&["jsonb_delete_path"], |name, args| returns(name, args, &[is_texts]), path_deletes)
}

fn returns(name: &str, args: &[FieldRef], kinds: &[fn(&DataType) -> bool]) -> Result<Field> {
    match args {
        [json, other] if is_text(json.data_type()) && kinds.iter().any(|is| is(other.data_type())) => {
            Ok(field(name, SqlType::Json))
        }
        _ => Err(no_such_function(name, args)),
    }
}

fn concats(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (left, right) = (Texts::of(args, 0)?, Texts::of(args, 1)?);
    let rows = (0..args.number_rows)
        .map(|row| left.get(row).zip(right.get(row)).map(|(left, right)| joined(left, right)).transpose());
    Ok(Arc::new(rows.collect::<Result<StringViewArray>>()?))
}

/// Objects become one, in which the right one's members count; anything else becomes an array.
fn joined(left: &str, right: &str) -> Result<String> {
    let (left, right) = (left.trim_ascii(), right.trim_ascii());
    let kinds = (kind(left)?, kind(right)?);
    if kinds == (Kind::Object, Kind::Object) {
        return Ok(object(&unique([members(left)?, members(right)?].concat())));
    }
    let parts = |json, kind| {
        if kind == Kind::Array { elements(json) } else { members_checked(json, kind).map(|()| vec![json]) }
    };
    Ok(list(&[parts(left, kinds.0)?, parts(right, kinds.1)?].concat()))
}

/// Objects are read to their end before they are put into an array.
fn members_checked(json: &str, kind: Kind) -> Result<()> {
    if kind == Kind::Object { members(json).map(drop) } else { Ok(()) }
}

fn deletes(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let json = Texts::of(args, 0)?;
    let of = args.arg_fields.get(1).map_or(DataType::Null, |field| field.data_type().clone());
    if of.is_integer() {
        let indexes = cast(&array(args, 1)?, &DataType::Int64)?;
        let indexes = indexes.as_primitive::<Int64Type>();
        return rows(args, &json, |row, json| {
            indexes.is_valid(row).then(|| without_index(json, indexes.value(row))).transpose()
        });
    }
    if is_text(&of) {
        let keys = Texts::of(args, 1)?;
        return rows(args, &json, |row, json| keys.get(row).map(|key| without(json, &|name| name == key)).transpose());
    }
    let lists = Paths::of(args)?;
    rows(args, &json, |row, json| {
        lists.get(row).map(|keys| without(json, &|name| keys.iter().any(|key| key == name))).transpose()
    })
}

fn path_deletes(args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let (json, paths) = (Texts::of(args, 0)?, Paths::of(args)?);
    rows(args, &json, |row, json| {
        let Some(path) = paths.get(row) else { return Ok(None) };
        if is_scalar(json)? {
            return Err(cannot("delete a path in a scalar"));
        }
        if path.len() > MAX_STEPS {
            return Err(Error::new(ErrorKind::ProgramLimitExceeded, format!("a path has at most {MAX_STEPS} steps")));
        }
        without_path(json, &path).map(Some)
    })
}

fn rows(
    args: &ScalarFunctionArgs,
    json: &Texts,
    changed: impl Fn(usize, &str) -> Result<Option<String>>,
) -> Result<ArrayRef> {
    let rows = (0..args.number_rows).map(|row| match json.get(row) {
        Some(json) => changed(row, json.trim_ascii()),
        None => Ok(None),
    });
    Ok(Arc::new(rows.collect::<Result<StringViewArray>>()?))
}

/// Lists of texts, without the NULLs among them.
struct Paths(datafusion::arrow::array::ListArray);

impl Paths {
    fn of(args: &ScalarFunctionArgs) -> Result<Self> {
        text_lists(&array(args, 1)?).map(Self)
    }

    fn get(&self, row: usize) -> Option<Vec<String>> {
        let list = self.0.is_valid(row).then(|| self.0.value(row))?;
        let texts = cast(&list, &DataType::Utf8View).ok()?;
        Some(texts.as_string_view().iter().flatten().map(ToOwned::to_owned).collect())
    }
}

fn is_scalar(json: &str) -> Result<bool> {
    Ok(!matches!(kind(json)?, Kind::Object | Kind::Array))
}

/// Without the members of some names, or the strings of an array.
fn without(json: &str, goes: &dyn Fn(&str) -> bool) -> Result<String> {
    match kind(json)? {
        Kind::Object => {
            let mut all = members(json)?;
            all.retain(|(key, _)| !goes(key));
            Ok(object(&all))
        }
        Kind::Array => {
            let mut kept = Vec::new();
            for element in elements(json)? {
                if kind(element)? != Kind::String || !goes(&read::<String>(element)?) {
                    kept.push(element);
                }
            }
            Ok(list(&kept))
        }
        _ => Err(cannot("delete from a scalar")),
    }
}

fn without_index(json: &str, index: i64) -> Result<String> {
    match kind(json)? {
        Kind::Array => {
            let mut all = elements(json)?;
            if let Some(at) = position(index, all.len()) {
                all.remove(at);
            }
            Ok(list(&all))
        }
        Kind::Object => Err(cannot("delete from an object by an index")),
        _ => Err(cannot("delete from a scalar")),
    }
}

fn without_path(json: &str, path: &[String]) -> Result<String> {
    let Some((step, rest)) = path.split_first() else { return Ok(json.to_owned()) };
    match kind(json)? {
        Kind::Object => {
            let all = members(json)?;
            if rest.is_empty() {
                return without(json, &|name| name == step);
            }
            let mut changed = Vec::with_capacity(all.len());
            for (key, value) in all {
                let value = if key == *step { without_path(value, rest)? } else { value.to_owned() };
                changed.push((key, value));
            }
            Ok(object(&changed))
        }
        Kind::Array => {
            let all = elements(json)?;
            let index: i64 = step.trim_ascii().parse().map_err(|_| {
                Error::new(ErrorKind::InvalidTextRepresentation, format!("a step of a path is no index: {step:?}"))
            })?;
            let at = position(index, all.len());
            let mut changed = Vec::with_capacity(all.len());
            for (number, element) in all.into_iter().enumerate() {
                if Some(number) != at {
                    changed.push(element.to_owned());
                } else if !rest.is_empty() {
                    changed.push(without_path(element, rest)?);
                }
            }
            Ok(list(&changed))
        }
        _ => Ok(json.to_owned()),
    }
}

/// A negative index counts from the end.
pub(super) fn position(index: i64, length: usize) -> Option<usize> {
    let at = usize::try_from(index).ok().or_else(|| length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?))?;
    (at < length).then_some(at)
}

pub(super) fn object(members: &[(String, impl AsRef<str>)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(key, value)| format!("{}:{}", serde_json::Value::String(key.clone()), value.as_ref()))
        .collect();
    format!("{{{}}}", members.join(","))
}

pub(super) fn list(elements: &[impl AsRef<str>]) -> String {
    let elements: Vec<&str> = elements.iter().map(AsRef::as_ref).collect();
    format!("[{}]", elements.join(","))
}

fn cannot(what: &str) -> Error {
    Error::new(ErrorKind::InvalidParameterValue, format!("cannot {what}"))
}
